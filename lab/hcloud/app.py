"""The API over HTTP: routes, tokens, the rate limit and the form of errors; and the lab's own controls."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lab.faults.on_asgi import FaultGate, control_router
from lab.faults.rules import Fault, FaultTable
from lab.hcloud.catalogue import pricing
from lab.hcloud.desk import Desk
from lab.hcloud.errors import ApiError, envelope, invalid
from lab.hcloud.limits import RateLimit
from lab.hcloud.project import Item, Project, World
from lab.hcloud.settings import HcloudSettings
from lab.memory import Memory

PREFIX = "/v1"
Answer = Callable[[Desk, Request, Item], Item | None]


class Limit(BaseModel):
    """The budget of each token: requests, and the seconds in which an empty one is full again."""

    requests: Annotated[int, Field(ge=1)] = 3600
    seconds: Annotated[float, Field(gt=0)] = 3600.0


class ActionDelay(BaseModel):
    """How long actions that begin from now on take, in seconds."""

    seconds: Annotated[float, Field(ge=0, le=3600)]


def create_app(settings: HcloudSettings, clock: Callable[[], float] = time.time) -> FastAPI:
    """The application with one project a token, empty at first or as an earlier run left them.

    ``clock`` gives seconds of the calendar.
    """
    faults, memory, limit = FaultTable(), Memory(settings.memory), RateLimit(clock)
    world = World(clock, faults, settings.action_delay)
    earlier = memory.recall() or {}
    world.last.update(earlier.get("last", {}))
    projects = {
        token: Project(world, **earlier.get("projects", {}).get(name, {}))
        for name, token in settings.section.tokens.items()
    }

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        kept = {name: projects[token].remembered() for name, token in settings.section.tokens.items()}
        memory.keep({"last": world.last, "projects": kept})

    app = FastAPI(title="Hetzner Cloud stand-in", openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    _add_api(app, _Counter(projects, limit))
    _add_controls(app, settings.control_token, world, projects, limit)
    app.add_middleware(FaultGate, table=faults, error_body=_fault_body)
    return app


def _fault_body(fault: Fault) -> Item:
    codes = {409: "conflict", 423: "locked", 429: "rate_limit_exceeded", 502: "bad_gateway", 504: "timeout"}
    return envelope(codes.get(fault.status, "server_error"), fault.message)


class _Counter:
    """Where each request goes through: token, budget, then the project's desk."""

    def __init__(self, projects: dict[str, Project], limit: RateLimit) -> None:
        self._projects, self._limit = projects, limit

    async def serve(self, request: Request, answer: Answer, status: int) -> Response:
        """Answer one request, whatever comes of it."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self._projects:
            return JSONResponse(envelope("unauthorized", "unable to authenticate"), 401)
        passes, headers = self._limit.spend(token)
        if not passes:
            message = f"limit of {self._limit.requests} requests reached"
            return JSONResponse(envelope("rate_limit_exceeded", message), 429, headers)
        project = self._projects[token]
        project.settle()
        try:
            content = answer(Desk(project), request, await _body(request))
        except ApiError as error:
            return JSONResponse(envelope(error.code, error.message, error.details), error.status, headers)
        return Response(None, 204, headers) if content is None else JSONResponse(content, status, headers)


async def _body(request: Request) -> Item:
    raw = await request.body()
    if not raw:
        return {}
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise ApiError("json_error", f"invalid JSON in the request: {error}") from error
    if not isinstance(content, dict):
        raise invalid("body", "must be a JSON object")
    return content


def _query(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def _add_api(app: FastAPI, counter: _Counter) -> None:
    def route(method: str, path: str, answer: Answer, status: int = 200) -> None:
        def endpoint() -> Callable[[Request], Awaitable[Response]]:
            async def serve(request: Request) -> Response:
                return await counter.serve(request, answer, status)

            return serve

        app.add_api_route(f"{PREFIX}{path}", endpoint(), methods=[method])

    def at(request: Request, name: str) -> str:
        return str(request.path_params[name])

    route("GET", "/pricing", lambda _desk, _request, _body: {"pricing": pricing()})
    route("GET", "/{kind}", lambda desk, r, _: desk.list(at(r, "kind"), _query(r)))
    route("POST", "/{kind}", lambda desk, r, body: desk.create(at(r, "kind"), body), 201)
    route("GET", "/{kind}/actions", lambda desk, r, _: desk.actions_of(at(r, "kind"), None, _query(r)))
    route("GET", "/{kind}/actions/{id}", lambda desk, r, _: desk.get("actions", at(r, "id")))
    route("GET", "/networks/{id}/members", lambda desk, r, _: desk.members(at(r, "id"), _query(r)))
    route("GET", "/{kind}/{id}", lambda desk, r, _: desk.get(at(r, "kind"), at(r, "id")))
    route("PUT", "/{kind}/{id}", lambda desk, r, body: desk.update(at(r, "kind"), at(r, "id"), body))
    route("DELETE", "/{kind}/{id}", lambda desk, r, _: desk.delete(at(r, "kind"), at(r, "id")))
    route("GET", "/{kind}/{id}/actions", lambda desk, r, _: desk.actions_of(at(r, "kind"), at(r, "id"), _query(r)))
    route("GET", "/{kind}/{id}/actions/{action}", lambda desk, r, _: desk.get("actions", at(r, "action")))
    route(
        "POST",
        "/{kind}/{id}/actions/{action}",
        lambda desk, r, body: desk.act(at(r, "kind"), at(r, "id"), at(r, "action"), body),
        201,
    )


def _add_controls(app: FastAPI, token: str, world: World, projects: dict[str, Project], limit: RateLimit) -> None:
    control = control_router(world.faults, token)

    @control.put("/rate-limit", status_code=204)
    async def set_limit(wanted: Limit) -> None:
        limit.set(wanted.requests, wanted.seconds)

    @control.put("/action-delay", status_code=204)
    async def set_delay(wanted: ActionDelay) -> None:
        world.delay = wanted.seconds

    @control.delete("/state", status_code=204)
    async def reset() -> None:
        for project in projects.values():
            project.tables.clear()
            project.actions.clear()

    @control.get("/servers/{number}/user-data")
    async def user_data(number: int) -> Any:
        """What a server's cloud-init was given, which the API itself never tells."""
        for project in projects.values():
            if number in project.table("servers"):
                return {"user_data": project.get("servers", number)["_user_data"]}
        return JSONResponse({"detail": "no such server"}, 404)

    app.include_router(control)
