"""How the fake machine API is reached: in this process, or by engines in others. Answers can be lost."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.fakes.machine_api import FakeMachineApi

_PREFIX = "/v1/metal"


class Wire(httpx.MockTransport):
    """A transport to a fake of this process.

    Attributes:
        lose: ``METHOD path`` of requests that are carried out, and whose next answer is lost.
        away: so many requests are answered by 503, and not carried out.
        is_killing: whoever asks next is killed before the answer gets there.
    """

    def __init__(self, api: FakeMachineApi) -> None:
        super().__init__(self._serve)
        self._api = api
        self.lose: list[str] = []
        self.away = 0
        self.is_killing = False

    def _serve(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            self.away -= 1
            return httpx.Response(503)
        path = request.url.path.removeprefix(_PREFIX)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        body = json.loads(request.content) if request.content else None
        status, document = self._api.answer(request.method, path, token, body)
        if self.is_killing:
            self.is_killing = False
            raise KeyboardInterrupt
        if f"{request.method} {path}" in self.lose:
            self.lose.remove(f"{request.method} {path}")
            raise httpx.ReadError("the answer is lost", request=request)
        return httpx.Response(status) if document is None else httpx.Response(status, json=document)


@contextmanager
def serve_machine_api(api: FakeMachineApi) -> Iterator[str]:
    """Serve on loopback for the length of the block, and give the address (``SLIPWAY_METAL_URL``)."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, document = api.answer(
                self.command, self.path.removeprefix(_PREFIX), token, json.loads(text) if text else None
            )
            self._say(status, document)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class' names

        def _say(self, status: int, document: dict[str, Any] | None) -> None:
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
