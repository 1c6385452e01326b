"""Clients that fetch one file at once and throw it away: one process, so that they cost what machines would not.

``python -m lab.bench.downloads URL COUNT`` prints a JSON line: bytes, seconds, and whether all was well.
"""

import json
import selectors
import socket
import sys
import time
from urllib.parse import urlsplit

_BUFFER = 1024 * 1024
_PATIENCE_SECONDS = 300.0


def main() -> None:
    """Fetch a file COUNT times at once."""
    url, count = urlsplit(sys.argv[1]), int(sys.argv[2])
    if url.hostname is None or url.port is None:
        raise SystemExit("give an address with host and port")
    request = f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode()
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            connection = socket.create_connection((url.hostname, url.port), timeout=_PATIENCE_SECONDS)
            connection.sendall(request)
            connection.setblocking(False)  # noqa: FBT003 - the method's own signature
            selector.register(connection, selectors.EVENT_READ)
        received = _drain(selector)
    sys.stdout.write(json.dumps({"bytes": received, "seconds": time.monotonic() - began}) + "\n")


def _drain(selector: selectors.BaseSelector) -> int:
    buffer, received = bytearray(_BUFFER), 0
    while selector.get_map():
        ready = selector.select(_PATIENCE_SECONDS)
        if not ready:
            raise SystemExit("nothing came for too long")
        for key, _ in ready:
            connection = key.fileobj
            if not isinstance(connection, socket.socket):
                raise TypeError("only sockets are registered")
            count = connection.recv_into(buffer)
            received += count
            if count == 0:
                selector.unregister(connection)
                connection.close()
    return received


if __name__ == "__main__":
    main()
