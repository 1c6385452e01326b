"""The server: who may come in, its errors, and the lab's control over it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from lab.faults.on_asgi import FaultGate, control_router
from lab.faults.rules import Fault, FaultTable
from lab.memory import Memory
from lab.pbs.errors import ApiError, wrong_parameter
from lab.pbs.routes import Given, api_routes
from lab.pbs.settings import PbsSettings
from lab.pbs.world import World


class Backup(BaseModel):
    """A group of backups that a node has made."""

    store: str
    ns: str = ""
    kind: str = "vm"
    vmid: int


class Door:
    """Finds out who asks, and keeps a list of logins."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.logins: list[bool] = []

    def log_in(self, username: str, password: str) -> dict[str, Any]:
        """A ticket, or an error; both are remembered."""
        self.logins.append(False)
        ticket = self._world.access.log_in(username, password)
        self.logins[-1] = True
        return ticket

    def who(
        self,
        request: Request,
        authorization: Annotated[str, Header()] = "",
        csrf: Annotated[str, Header(alias="CSRFPreventionToken")] = "",
    ) -> str:
        """The id of whoever sent this request: a token by its header, a person by the ticket in the cookie."""
        if authorization.startswith("PBSAPIToken="):
            return self._world.access.by_token(authorization)
        ticket = unquote(request.cookies.get("PBSAuthCookie", ""))
        return self._world.access.by_ticket(ticket, csrf, is_write=request.method != "GET")


def create_app(settings: PbsSettings) -> FastAPI:
    """The application, empty or with what an earlier run left."""
    world, faults, memory = World(settings.section.password), FaultTable(), Memory(settings.memory)
    world.remember(memory.recall())
    door = Door(world)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        memory.keep(world.remembered())

    app = FastAPI(title="Proxmox Backup Server stand-in", openapi_url=None, lifespan=lifespan)
    app.include_router(_control(control_router(faults, settings.control_token), world, door))
    app.include_router(_login(door.log_in), prefix="/api2/json")
    app.include_router(api_routes(world, Depends(door.who)), prefix="/api2/json")
    _answer_errors(app)
    app.add_middleware(FaultGate, table=faults, error_body=_fault_body)
    return app


def _login(log_in: Callable[[str, str], dict[str, Any]]) -> APIRouter:
    routes = APIRouter()

    @routes.post("/access/ticket")
    async def ticket(given: Given) -> dict[str, Any]:
        return {"data": log_in(str(given.get("username", "")), str(given.get("password", "")))}

    return routes


def _fault_body(fault: Fault) -> str:
    return fault.message


def _answer_errors(app: FastAPI) -> None:
    """Put every error into a line of text, as the server does."""

    @app.exception_handler(ApiError)
    async def known(_request: Request, error: ApiError) -> PlainTextResponse:
        return PlainTextResponse(error.message, error.status)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_request: Request, error: RequestValidationError) -> PlainTextResponse:
        first = error.errors()[0]
        return PlainTextResponse(wrong_parameter(str(first["loc"][-1]), first["msg"]).message, 400)


def _control(control: APIRouter, world: World, door: Door) -> APIRouter:
    @control.post("/backups", status_code=204)
    async def backed_up(made: Backup) -> None:
        group = {"backup-type": made.kind, "backup-id": str(made.vmid), "backup-count": 1}
        world.namespaces.groups.setdefault((made.store, made.ns), []).append(group)

    @control.delete("/backups", status_code=204)
    async def forget_backups() -> None:
        world.namespaces.groups.clear()

    @control.get("/logins")
    async def logins() -> list[bool]:
        return door.logins

    @control.delete("/state", status_code=204)
    async def reset() -> None:
        world.clear()
        door.logins.clear()

    return control
