"""The part of the control plane that takes nodes' tokens and stacks' reports, behind real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

BEARER = "sync-token-of-a-test"
_PREFIX, _SUFFIX = "/v1/inventory/nodes/", "/credential"
_STACKS = "/v1/inventory/stacks/"


class CredentialDesk:
    """What has been deposited, and what is to go wrong.

    Attributes:
        tokens: whole tokens by node.
        reports: what stacks have told, by stack.
        answers: statuses for the next requests, in place of what would be right; 0 does it and then says nothing.
        seen: method and node of every request.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.reports: dict[str, dict[str, Any]] = {}
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

    def told(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Take, show or forget a stack's report; nothing of it is checked."""
        address = urlsplit(path)
        stack = address.path.removeprefix(_STACKS)
        if method == "PUT":
            if not address.query:
                self.reports[stack] = json.loads(body)
            return 200, {"digest": "as-told", "changes": {}}
        report = self.reports.get(stack)
        if report is None:
            return 404, {"code": "not_found"}
        if method == "DELETE":
            del self.reports[stack]
        return 200, {"told": report, "held": report, "digest": "as-told"}


@contextmanager
def serving() -> Iterator[CredentialDesk]:
    """A desk that listens on loopback for the length of a ``with`` block."""
    desk = CredentialDesk()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.close_connection = True
            if self.path.startswith(_STACKS):
                status, document = desk.told(self.command, self.path, body)
                content = json.dumps(document).encode()
            else:
                status = desk.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
                content = b""
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

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
