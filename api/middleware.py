"""What surrounds every request: its id, its log line, security headers, a limit on its body, and the last resort."""

import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from api.errors import PayloadTooLarge
from api.metrics.http import HttpMetrics
from api.problems import InternalError, answer

_log = structlog.get_logger(__name__)

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Defaults after OWASP's REST security cheat sheet; a response that sets one of them itself keeps its own."""
_TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"


class RequestContext:
    """Gives a request its id, writes its log line, completes its headers and answers what nobody else caught.

    A caller's ``X-Request-Id`` is taken over if it is sane, so that one id can be followed through several systems.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics
        self._headers = dict(_SECURITY_HEADERS)
        if is_https:
            self._headers["Strict-Transport-Security"] = _TRANSPORT_SECURITY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own signature
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status: int | None = None

        async def complete(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, complete)
        except Exception:
            _log.exception("unexpected error", method=scope["method"], route=_route(scope))
            if status is not None:
                raise  # the answer has begun: all that is left is to cut the connection
            error = InternalError("the fault is logged under the request_id: quote it if it happens again")
            await answer(Request(scope), error)(scope, receive, complete)
        seconds, route = time.perf_counter() - started, _route(scope)
        self._metrics.record(route, scope["method"], status or 500, seconds)
        milliseconds = round(seconds * 1000, 1)
        _log.info("request", method=scope["method"], route=route, status=status, milliseconds=milliseconds)


class BodyLimit:
    """Refuses bodies over a limit, by their announced length or, without one, while they are read."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI's own signature
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > self._max_bytes:
            response = answer(Request(scope), PayloadTooLarge(self._detail))
            await response(scope, receive, send)
            return
        seen = 0

        async def count() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                # Of all exceptions, FastAPI lets only this one out of its body parsing unchanged.
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, count, send)

    @property
    def _detail(self) -> str:
        return f"a request body may have at most {self._max_bytes} bytes"


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if _SANE_REQUEST_ID.fullmatch(offered) else str(uuid7())


def _route(scope: MutableMapping[str, Any]) -> str:
    """Return the route's name: a path would put ids, and whatever a caller invents, into the logs."""
    return getattr(scope.get("route"), "name", "none")
