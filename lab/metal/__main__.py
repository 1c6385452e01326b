"""The process of the machines: settings on standard input, port on standard output (lab.child). Needs root and QEMU."""

import signal
import sys
from types import FrameType

from lab.asgi import serve_asgi
from lab.child import read_settings
from lab.metal.control import create_app
from lab.metal.hall import machine_hall
from lab.metal.settings import MetalSettings
from lab.metal.tools import MetalLabError


def main() -> int:
    """Serve until the supervisor ends or asks this process to; every machine is off then."""
    settings = read_settings(MetalSettings)
    # uvicorn repeats the signal that ended it, which by default would end this process before it has tidied up.
    signal.signal(signal.SIGTERM, _end)
    try:
        with machine_hall(settings) as hall:
            serve_asgi(create_app(hall, settings.control_token), settings.section.control_url)
    except MetalLabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    raise SystemExit(main())
