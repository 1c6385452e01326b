"""The process of the Hetzner Cloud stand-in: settings on standard input, port on standard output (lab.child)."""

from lab.asgi import serve_asgi
from lab.child import read_settings
from lab.hcloud.app import create_app
from lab.hcloud.settings import HcloudSettings


def main() -> None:
    """Serve until the supervisor ends or asks this process to."""
    settings = read_settings(HcloudSettings)
    serve_asgi(create_app(settings), settings.section.base_url)


if __name__ == "__main__":
    main()
