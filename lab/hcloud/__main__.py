"""The process of the Hetzner Cloud stand-in: settings on standard input, port on standard output (lab.child)."""

import socket

import uvicorn

from lab.child import announce, end_with_parent, listen, read_settings
from lab.document import port_of
from lab.hcloud.app import create_app
from lab.hcloud.settings import HcloudSettings


class _AnnouncingServer(uvicorn.Server):
    """Says on which port it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets:
            announce({"api": sockets[0].getsockname()[1]})


def main() -> None:
    """Serve until the supervisor ends or asks this process to."""
    settings = read_settings(HcloudSettings)
    listener = listen(port_of(settings.section.base_url))
    config = uvicorn.Config(create_app(settings), access_log=False, log_level="warning", timeout_graceful_shutdown=1)
    server = _AnnouncingServer(config)
    end_with_parent()
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
