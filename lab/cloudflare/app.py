"""The API itself: authentication, the rate limit, errors, and every route."""

import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lab.cloudflare.account_routes import account_routes
from lab.cloudflare.answers import envelope, failure
from lab.cloudflare.errors import ApiError
from lab.cloudflare.limits import RateLimit
from lab.cloudflare.record_routes import record_routes
from lab.cloudflare.settings import CloudflareSettings
from lab.cloudflare.world import Contents, World
from lab.cloudflare.zone_routes import balancer_routes, ruleset_routes, zone_routes
from lab.faults.on_asgi import FaultGate, control_router
from lab.faults.rules import Fault, FaultTable
from lab.memory import Memory


class Limit(BaseModel):
    """The rate limit to apply: requests in a window of seconds; null switches it off."""

    requests: Annotated[int, Field(ge=1)] | None
    seconds: Annotated[float, Field(gt=0)] = 300.0


def new_world(settings: CloudflareSettings) -> World:
    """An account with the one zone that the lab is configured with; a bare lab's has none."""
    section = settings.section
    world = World(section.account_id)
    if not settings.bare:
        world.add_zone(section.zone_name, section.zone_id)
    return world


def create_app(settings: CloudflareSettings) -> FastAPI:
    """The application as new, or as an earlier run left it."""
    world = new_world(settings)
    limit, faults, memory = RateLimit(time.monotonic), FaultTable(), Memory(settings.memory)
    remembered = memory.recall()
    if isinstance(remembered, Contents):
        world.contents = remembered

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        memory.keep(world.contents)

    app = FastAPI(title="Cloudflare stand-in", openapi_url=None, lifespan=lifespan)
    app.include_router(_api(world, settings.section.api_token, limit), prefix="/client/v4")
    control = control_router(faults, settings.control_token)

    @control.put("/rate-limit", status_code=204)
    async def set_limit(wanted: Limit) -> None:
        limit.requests, limit.seconds = wanted.requests, wanted.seconds

    @control.delete("/state", status_code=204)
    async def reset() -> None:
        world.contents = new_world(settings).contents

    app.include_router(control)
    _answer_errors(app)
    app.add_middleware(FaultGate, table=faults, error_body=_fault_body)
    return app


def _fault_body(fault: Fault) -> dict[str, Any]:
    return failure(10_000, fault.message)


def _answer_errors(app: FastAPI) -> None:
    """Put every error into the API's envelope."""

    @app.exception_handler(ApiError)
    async def known(_request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(failure(error.code, error.message), error.status, error.headers)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"][1:])) or "body"
        return JSONResponse(failure(9207, f"Request body is invalid: {field}: {first['msg']}"), 400)


def _guard(token: str, limit: RateLimit) -> Any:
    """A dependency: the token must be ours, then the rate limit counts."""

    def check(authorization: Annotated[str, Header()] = "") -> None:
        if not authorization.startswith("Bearer "):
            raise ApiError(401, 10_001, "Unable to authenticate request")
        if not hmac.compare_digest(authorization.removeprefix("Bearer ").encode(), token.encode()):
            raise ApiError(403, 9109, "Invalid access token")
        wait = limit.retry_after()
        if wait is not None:
            message = "Please wait and consider throttling your request speed"
            raise ApiError(429, 971, message, {"Retry-After": str(wait)})

    return Depends(check)


def _api(world: World, token: str, limit: RateLimit) -> APIRouter:
    api = APIRouter(dependencies=[_guard(token, limit)])

    @api.get("/user/tokens/verify")
    async def verify() -> dict[str, Any]:
        return envelope({"id": world.account_id, "status": "active"})

    @api.get("/accounts")
    async def accounts() -> dict[str, Any]:
        return envelope([{"id": world.account_id, "name": "lab", "type": "standard"}])

    for routes in (zone_routes, record_routes, ruleset_routes, balancer_routes, account_routes):
        api.include_router(routes(world))
    return api
