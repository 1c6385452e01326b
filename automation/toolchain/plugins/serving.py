"""How every plugin of ours is served: on a free port of this machine, until the engine ends the process."""

import signal
import sys
from types import FrameType
from typing import Any


def serve_until_stopped(server: Any) -> None:
    """Start the gRPC server, tell the engine its port on standard output, wait for the signal to end.

    The engine interrupts its plugins when it is done with them; that is no fault and leaves no trace on the terminal.
    """
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def stop(signal_number: int, frame: FrameType | None) -> None:
        del signal_number, frame
        server.stop(grace=None)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
