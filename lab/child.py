"""What every stand-in's process does: read its settings, say where it listens, end with its parent.

The supervisor speaks to a child through two pipes. The settings (with credentials, which is why they are
neither arguments nor environment) are the first line on standard input; the bound ports are the first line
on standard output. Standard input then stays open for as long as the supervisor lives, so its end tells a
child that the supervisor is gone, however it died.
"""

import json
import os
import signal
import socket
import sys
import threading
from typing import TypeVar

from pydantic import BaseModel

Settings = TypeVar("Settings", bound=BaseModel)


def read_settings(model: type[Settings]) -> Settings:
    """The settings line, as the stand-in's own model. Blocks until the supervisor has sent it."""
    return model.model_validate_json(sys.stdin.buffer.readline())


def announce(ports: dict[str, int]) -> None:
    """Tell the supervisor that this stand-in serves, and on which ports."""
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()


def end_with_parent() -> None:
    """Have this process get SIGTERM when the supervisor goes away, and leave Ctrl-C to the supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_end, name="lifeline", daemon=True).start()


def _wait_for_end() -> None:
    # os.read, not sys.stdin: a buffered reader blocked in a daemon thread makes the interpreter abort at exit.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; port 0 asks for a free one.

    asyncio sets TCP_NODELAY only on sockets that name their protocol, and this one does not: without it each answer
    waits some 40 ms for the client's acknowledgement. Accepted connections inherit the option.
    """
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
