"""Serves a stand-in that is an ASGI application, in a process of the lab (lab.child)."""

import socket

import uvicorn
from fastapi import FastAPI

from lab.child import announce, end_with_parent, listen
from lab.document import port_of


class _AnnouncingServer(uvicorn.Server):
    """Says on which port it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets:
            announce({"api": sockets[0].getsockname()[1]})


def serve_asgi(app: FastAPI, base_url: str, certificate: str | None = None) -> None:
    """Serve on the port of ``base_url``, or on a free one; blocks until the supervisor ends or asks this process to.

    ``certificate`` is a PEM file with certificate and key; with it HTTPS is served.
    """
    listener = listen(port_of(base_url))
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", timeout_graceful_shutdown=1, ssl_certfile=certificate
    )
    end_with_parent()
    _AnnouncingServer(config).run(sockets=[listener])
