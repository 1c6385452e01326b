"""The part of the control plane that takes nodes' tokens, behind real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BEARER = "sync-token-of-a-test"
_PREFIX, _SUFFIX = "/v1/inventory/nodes/", "/credential"


class CredentialDesk:
    """What has been deposited, and what is to go wrong.

    Attributes:
        tokens: whole tokens by node.
        answers: statuses for the next requests, in place of what would be right; 0 does it and then says nothing.
        seen: method and node of every request.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.answers: list[int] = []
        self.seen: list[tuple[str, str]] = []
        self.url = ""

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> int:
        """Do what is asked and return the status."""
        node = path.removeprefix(_PREFIX).removesuffix(_SUFFIX)
        self.seen.append((method, node))
        status = self.answers.pop(0) if self.answers else None
        if status:
            return status
        if authorization != f"Bearer {BEARER}":
            return 401
        if method == "PUT":
            self.tokens[node] = str(json.loads(body)["api_token"])
        elif self.tokens.pop(node, None) is None:
            return 404
        return 204 if status is None else 0


@contextmanager
def serving() -> Iterator[CredentialDesk]:
    """A desk that listens on loopback for the length of a ``with`` block."""
    desk = CredentialDesk()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = desk.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            self.close_connection = True
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        desk.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield desk
        finally:
            server.shutdown()
            thread.join()
