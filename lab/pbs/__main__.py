"""The process of the Proxmox Backup Server: settings on standard input, port on standard output (lab.child)."""

from lab.asgi import serve_asgi
from lab.child import read_settings
from lab.pbs.app import create_app
from lab.pbs.settings import PbsSettings


def main() -> None:
    """Serve until the supervisor ends or asks this process to."""
    settings = read_settings(PbsSettings)
    serve_asgi(create_app(settings), settings.section.base_url, certificate=settings.certificate)


if __name__ == "__main__":
    main()
