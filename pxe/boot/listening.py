"""Runs the boot service with bounds that only the listening process can set."""

import socket

import uvicorn
from starlette.types import ASGIApp

from pxe.boot.protocol import FileSendingProtocol

_BACKLOG = 512
_DEAD_AFTER_MILLISECONDS = 120_000
"""A connection whose other side acknowledges nothing for so long is dropped by the kernel (TCP_USER_TIMEOUT)."""
_CONNECTIONS = 1000
_MAX_HEAD = 16 * 1024


def run_service(app: ASGIApp, host: str, port: int) -> None:
    """Serve until the process is told to end; blocks."""
    with listener(host, port) as listening:
        server_for(app).run(sockets=[listening])


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket; what it accepts inherits its options."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MILLISECONDS)
    return made


def server_for(app: ASGIApp) -> uvicorn.Server:
    """Return a server with bounds on connections and on the length of a request's head."""
    config = uvicorn.Config(
        app,
        http=FileSendingProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_MAX_HEAD,
        timeout_keep_alive=15,
    )
    return uvicorn.Server(config)
