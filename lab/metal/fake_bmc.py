"""Fake BMCs behind an HTTP server on loopback, for drivers in other processes (:mod:`pxe.power.fake_driver`).

The machines stay objects of the process that serves: whoever holds them sets faults, cuts power, and sees what was
done.
"""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pxe.power.errors import BmcBusy, BmcRefused, NotOffered
from pxe.power.fake import FakeMachine, Hangs


@contextmanager
def serve_fake_bmcs(machines: Mapping[str, FakeMachine]) -> Iterator[str]:
    """Serve machines by name for the length of the block, and give the address (``SLIPWAY_BMC_ADDRESS``).

    The mapping is looked at anew for each call. A call that hangs does so until the block ends or the client leaves.
    """
    ended = threading.Event()

    class Handler(_Handler):
        hall, over = machines, ended

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            ended.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    hall: Mapping[str, FakeMachine]
    over: threading.Event

    def do_POST(self) -> None:
        """Serve ``/machines/NAME/VERB``."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.strip("/").split("/")
        machine = self.hall.get(parts[1]) if len(parts) == 3 and parts[0] == "machines" else None  # noqa: PLR2004
        if machine is None:
            self._say(404, {"detail": "no such machine"})
        else:
            self._call(machine, parts[2], json.loads(body or b"{}"))

    def _call(self, machine: FakeMachine, verb: str, arguments: dict[str, Any]) -> None:
        user, password = _login(self.headers.get("Authorization", ""))
        try:
            self._say(200, {"answer": machine.call(user, password, verb, arguments)})
        except Hangs:
            self.over.wait()
            self.close_connection = True
        except BmcBusy as error:
            self._say(503, {"detail": str(error)})
        except BmcRefused as error:
            self._say(401, {"detail": str(error)})
        except (NotOffered, TypeError) as error:  # arguments that the verb does not have
            self._say(422, {"detail": str(error)})

    def _say(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing."""


def _login(header: str) -> tuple[str, str]:
    kind, _, blob = header.partition(" ")
    if kind != "Basic":
        return "", ""
    user, _, password = base64.b64decode(blob).decode().partition(":")
    return user, password
