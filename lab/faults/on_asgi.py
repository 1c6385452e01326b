"""The faults of a stand-in that runs on FastAPI: the gate before it and the control routes."""

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.faults.rules import REQUEST_KINDS, Fault, FaultKind, FaultTable

CONTROL_PREFIX = "/_lab/"


class FaultGate:
    """An ASGI middleware that applies the rules to each HTTP request; control requests pass."""

    def __init__(self, app: ASGIApp, table: FaultTable, error_body: Callable[[Fault], object]) -> None:
        self._app, self._table, self._error_body = app, table, error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith(CONTROL_PREFIX):
            fault = self._table.take(REQUEST_KINDS, "", scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind in {FaultKind.ERROR, FaultKind.LOCK}:
            await _answer(send, fault.status, json.dumps(self._error_body(fault)).encode())
        elif fault.kind is FaultKind.LATE_ERROR:
            await self._app(scope, receive, _swallow)
            await _answer(send, fault.status, json.dumps(self._error_body(fault)).encode())
        elif fault.kind is FaultKind.LOSE_ANSWER:
            await self._app(scope, receive, _swallow)
            await _break_off(send)
        else:
            await (fault.removed() if fault.kind is FaultKind.FREEZE else asyncio.sleep(fault.seconds))
            await self._app(scope, receive, send)


async def _swallow(_message: Message) -> None:
    """Take an answer that nobody shall get."""


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _break_off(send: Send) -> None:
    """Promise a body and leave: the server closes the connection, the client has no answer.

    ASGI has no way to close a connection without any bytes; a client sees a broken connection all the same.
    """
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


def require_token(token: str) -> Callable[[str], None]:
    """A dependency that lets only the holder of the control token through."""

    def check(authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "control token: missing or wrong; it is control_token in lab.json")

    return check


def control_router(table: FaultTable, token: str) -> APIRouter:
    """``POST``, ``GET`` and ``DELETE`` on ``/_lab/faults``, and ``DELETE /_lab/faults/{id}``."""
    router = APIRouter(prefix="/_lab", dependencies=[Depends(require_token(token))])

    @router.post("/faults", status_code=201)
    async def add(fault: Fault) -> Fault:
        return table.add(fault)

    @router.get("/faults")
    async def show() -> list[Fault]:
        return table.all()

    @router.delete("/faults", status_code=204)
    async def clear() -> None:
        table.clear()

    @router.delete("/faults/{number}", status_code=204)
    async def remove(number: int) -> Response:
        if not table.remove(number):
            raise HTTPException(404, "no such fault")
        return Response(status_code=204)

    return router
