"""The faults of a stand-in that runs on aiohttp: the gate before its handlers and the control routes."""

import asyncio
import hmac
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import ValidationError

from lab.faults.rules import REQUEST_KINDS, Fault, FaultKind, FaultTable

CONTROL_PREFIX = "/_lab/"

ErrorBody = Callable[[web.Request, Fault], web.Response]
"""Renders an error in the stand-in's own form."""


class FaultGate:
    """A middleware that applies the rules to each request. ``where`` is this server's node name.

    ``prefix`` is cut off the path before it is compared with a rule's pattern. Control requests pass.
    """

    def __init__(self, table: FaultTable, error_body: ErrorBody, where: str = "", prefix: str = "") -> None:
        self._table = table
        self._error_body = error_body
        self._where = where
        self._prefix = prefix

    def middleware(self) -> Middleware:
        """The aiohttp middleware."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(CONTROL_PREFIX):
                return await handler(request)
            path = request.path.removeprefix(self._prefix)
            fault = self._table.take(REQUEST_KINDS, self._where, request.method, path)
            return await (handler(request) if fault is None else self._apply(fault, request, handler))

        return gate

    async def _apply(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        if fault.kind in {FaultKind.ERROR, FaultKind.LOCK}:
            return self._error_body(request, fault)
        if fault.kind is FaultKind.FREEZE:
            await fault.removed()
        elif fault.kind is FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        answer = await handler(request)
        if fault.kind is FaultKind.LATE_ERROR:
            return self._error_body(request, fault)
        if fault.kind is FaultKind.LOSE_ANSWER and request.transport is not None:
            request.transport.abort()  # aiohttp drops an answer whose connection is gone
        return answer


def require_token(request: web.Request, token: str) -> None:
    """Let only the holder of the control token through.

    Raises:
        web.HTTPUnauthorized: for everyone else.
    """
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise web.HTTPUnauthorized(text="control token: missing or wrong; it is control_token in lab.json")


def add_control_routes(app: web.Application, table: FaultTable, token: str) -> None:
    """Serve ``POST``, ``GET`` and ``DELETE`` on ``/_lab/faults``, and ``DELETE /_lab/faults/{id}``."""

    async def add(request: web.Request) -> web.Response:
        require_token(request, token)
        try:
            fault = table.add(Fault.model_validate_json(await request.read()))
        except ValidationError as error:
            raise web.HTTPUnprocessableEntity(text=error.json(include_url=False)) from error
        return web.json_response(fault.model_dump(mode="json"), status=201)

    async def show(request: web.Request) -> web.Response:
        require_token(request, token)
        return web.json_response([fault.model_dump(mode="json") for fault in table.all()])

    async def clear(request: web.Request) -> web.Response:
        require_token(request, token)
        table.clear()
        return web.Response(status=204)

    async def remove(request: web.Request) -> web.Response:
        require_token(request, token)
        if not table.remove(int(request.match_info["number"])):
            raise web.HTTPNotFound(text="no such fault")
        return web.Response(status=204)

    app.router.add_post("/_lab/faults", add)
    app.router.add_get("/_lab/faults", show)
    app.router.add_delete("/_lab/faults", clear)
    app.router.add_delete(r"/_lab/faults/{number:\d+}", remove)
