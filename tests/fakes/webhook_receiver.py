"""A web server that takes webhooks and keeps them, as a product's endpoint would get them."""

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PATIENCE = 60.0
"""Seconds until a webhook that a test waits for must have come."""


@dataclass(frozen=True)
class Delivery:
    """One request: its body as sent, its signature header and the parsed event."""

    payload: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        """The event in the body."""
        parsed: dict[str, Any] = json.loads(self.payload)
        return parsed


class WebhookReceiver:
    """Serves on a free port of 127.0.0.1; answers with ``statuses`` one after the other, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self._answers = list(statuses)
        self._queue: queue.Queue[Delivery] = queue.Queue()
        self._others: list[Delivery] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/stripe"

    def next(self) -> Delivery:
        """The next delivery; blocks until it comes."""
        return self._queue.get(timeout=PATIENCE)

    def until(self, kind: str) -> Delivery:
        """The next delivery of this event type; others before it are kept for such a call: no order is promised."""
        for delivery in self._others:
            if delivery.event["type"] == kind:
                self._others.remove(delivery)
                return delivery
        while (delivery := self.next()).event["type"] != kind:
            self._others.append(delivery)
        return delivery

    def waiting(self) -> list[Delivery]:
        """What has come and not been taken, without waiting."""
        found = []
        while not self._queue.empty():
            found.append(self._queue.get_nowait())
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._queue.put(Delivery(payload, self.headers["Stripe-Signature"]))
                self.send_response(receiver._answers.pop(0) if receiver._answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
