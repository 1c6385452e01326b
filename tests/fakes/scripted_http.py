"""An HTTP server that answers as it is told and remembers what it was asked."""

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: of HTTP.
        body: sent as JSON, a string as it is.
        headers: more headers.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class ScriptedServer:
    """The server.

    Attributes:
        url: without a trailing slash.
        answers: given one after the other; a request too many gets a 404.
        requests: in the order in which they came.
    """

    url: str
    answers: deque[Answer] = field(default_factory=deque)
    requests: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Serve on a free port of this machine for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(text) if text else None
            script.requests.append(Asked(self.command, self.path, dict(self.headers), body))
            answer = script.answers.popleft() if script.answers else Answer(404, {})
            content = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 -- the base class' names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class' name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script = ScriptedServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield script
        server.shutdown()
        thread.join()
