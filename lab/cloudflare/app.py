"""The API itself: routes, the envelope around every answer, authentication and the rate limit."""

import hmac
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lab.cloudflare.limits import RateLimit
from lab.cloudflare.records import ApiError, Record, Zone
from lab.cloudflare.settings import CloudflareSettings
from lab.faults.on_asgi import FaultGate, control_router
from lab.faults.rules import Fault, FaultTable
from lab.memory import Memory

Fields = Annotated[dict[str, Any], Body()]
FILTERS = ("name", "content", "type", "comment", "proxied")


def envelope(result: Any, **more: Any) -> dict[str, Any]:
    """A successful answer."""
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def failure(code: int, message: str) -> dict[str, Any]:
    """A failed answer."""
    error = {"code": code, "message": message}
    return {"result": None, "success": False, "errors": [error], "messages": []}


def page_of(items: list[Any], page: int, per_page: int) -> dict[str, Any]:
    """One page of a list, with the ``result_info`` that the SDK turns pages by."""
    chosen = items[(page - 1) * per_page : page * per_page]
    info = {
        "page": page,
        "per_page": per_page,
        "count": len(chosen),
        "total_count": len(items),
        "total_pages": math.ceil(len(items) / per_page),
    }
    return envelope(chosen, result_info=info)


def record_matches(record: Record, query: dict[str, str]) -> bool:
    """Whether a record passes the list filters: ``name=…`` or ``name.exact=…``, and dotted comparisons.

    With ``match=any`` one filter is enough, else all must hold.
    """
    checks = [_compare(record, key, value.lower()) for key, value in query.items() if key.split(".")[0] in FILTERS]
    if not checks:
        return True
    return any(checks) if query.get("match") == "any" else all(checks)


def _compare(record: Record, key: str, wanted: str) -> bool:
    field, _, how = key.partition(".")
    value = str(record.get(field) if record.get(field) is not None else "").lower()
    if how == "contains":
        return wanted in value
    if how == "startswith":
        return value.startswith(wanted)
    if how == "endswith":
        return value.endswith(wanted)
    return value == wanted


class Limit(BaseModel):
    """The rate limit to apply: requests in a window of seconds; null switches it off."""

    requests: Annotated[int, Field(ge=1)] | None
    seconds: Annotated[float, Field(gt=0)] = 300.0


def create_app(settings: CloudflareSettings) -> FastAPI:
    """The application with its one zone, empty at first or as an earlier run left it."""
    section = settings.section
    zone = Zone(section.zone_id, section.zone_name, section.account_id)
    limit, faults, memory = RateLimit(time.monotonic), FaultTable(), Memory(settings.memory)
    zone.remember(memory.recall() or {})

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        memory.keep(zone.remembered())

    app = FastAPI(title="Cloudflare stand-in", openapi_url=None, lifespan=lifespan)
    app.include_router(_api(zone, section.api_token, limit), prefix="/client/v4")
    control = control_router(faults, settings.control_token)

    @control.put("/rate-limit", status_code=204)
    async def set_limit(wanted: Limit) -> None:
        limit.requests, limit.seconds = wanted.requests, wanted.seconds

    @control.delete("/state", status_code=204)
    async def reset() -> None:
        zone.clear()

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


def _api(zone: Zone, token: str, limit: RateLimit) -> APIRouter:
    api = APIRouter(dependencies=[_guard(token, limit)])

    @api.get("/user/tokens/verify")
    async def verify() -> dict[str, Any]:
        return envelope({"id": zone.account_id, "status": "active"})

    @api.get("/zones")
    async def zones(
        name: str = zone.name,
        page: Annotated[int, Query(ge=1)] = 1,
        per_page: Annotated[int, Query(ge=5, le=50)] = 20,
    ) -> dict[str, Any]:
        return page_of([zone.describe()] if name == zone.name else [], page, per_page)

    @api.get("/zones/{zone_id}")
    async def get_zone(zone_id: str) -> dict[str, Any]:
        return envelope(_the(zone, zone_id).describe())

    @api.get("/zones/{zone_id}/dns_records")
    async def list_records(
        zone_id: str,
        request: Request,
        page: Annotated[int, Query(ge=1)] = 1,
        per_page: Annotated[int, Query(ge=1, le=5_000_000)] = 100,
    ) -> dict[str, Any]:
        query = dict(request.query_params)
        return page_of([item for item in _the(zone, zone_id).records() if record_matches(item, query)], page, per_page)

    @api.post("/zones/{zone_id}/dns_records")
    async def create(zone_id: str, given: Fields) -> dict[str, Any]:
        return envelope(_the(zone, zone_id).create(given))

    @api.get("/zones/{zone_id}/dns_records/{record_id}")
    async def get_record(zone_id: str, record_id: str) -> dict[str, Any]:
        return envelope(_the(zone, zone_id).get(record_id))

    @api.put("/zones/{zone_id}/dns_records/{record_id}")
    async def replace(zone_id: str, record_id: str, given: Fields) -> dict[str, Any]:
        return envelope(_the(zone, zone_id).replace(record_id, given))

    @api.patch("/zones/{zone_id}/dns_records/{record_id}")
    async def change(zone_id: str, record_id: str, given: Fields) -> dict[str, Any]:
        return envelope(_the(zone, zone_id).change(record_id, given))

    @api.delete("/zones/{zone_id}/dns_records/{record_id}")
    async def delete(zone_id: str, record_id: str) -> dict[str, Any]:
        _the(zone, zone_id).delete(record_id)
        return envelope({"id": record_id})

    return api


def _the(zone: Zone, zone_id: str) -> Zone:
    """The zone, if the id is its own."""
    if zone_id != zone.id:
        raise ApiError(403, 9109, "Unauthorized to access requested resource")
    return zone
