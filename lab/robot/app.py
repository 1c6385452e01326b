"""The webservice: who may come in and how often, its errors, and the lab's control over it."""

import base64
import binascii
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lab.faults.on_asgi import FaultGate, control_router
from lab.faults.rules import Fault, FaultTable
from lab.memory import Memory
from lab.rescue.server import Hall
from lab.robot.errors import ApiError, invalid_input
from lab.robot.limits import HourlyLimit, LockOut
from lab.robot.machines import add_machine_controls, hall_of
from lab.robot.routes import ROUTES
from lab.robot.settings import RobotSettings
from lab.robot.vswitches import VSwitches
from lab.robot.world import LabClock, World


class Limit(BaseModel):
    """Requests of a login in a number of seconds; null switches the limit off."""

    requests: Annotated[int, Field(ge=1)] | None
    seconds: Annotated[float, Field(gt=0)] = 3600.0


class Seconds(BaseModel):
    """A length of time."""

    seconds: Annotated[float, Field(ge=0)]


class Coupling(BaseModel):
    """What hangs on a vSwitch besides servers."""

    subnet: list[dict[str, Any]] = []
    cloud_network: list[dict[str, Any]] = []


class Door:
    """Lets logins in, counts them, and keeps a list of who came."""

    def __init__(self, settings: RobotSettings, clock: LabClock) -> None:
        self.clock = clock
        self._login, self._password = settings.section.login, settings.section.password
        self.limit, self.lock_out = HourlyLimit(clock), LockOut(clock)
        self.requests: list[tuple[str, str, bool]] = []

    async def check(self, request: Request, authorization: Annotated[str, Header()] = "") -> None:
        """Refuse a locked-out address, then wrong credentials, then a request too many."""
        address = request.client.host if request.client else ""
        is_known = self._knows(authorization)
        is_let_in = is_known and not self.lock_out.holds(address)
        self.requests.append((request.method, request.url.path, is_let_in))
        if not is_let_in:
            if not is_known:
                self.lock_out.failed(address)
            raise ApiError(401, "UNAUTHORIZED", "Unauthorized")
        self.lock_out.succeeded(address)
        if not self.limit.passes(self._login):
            more = {"max_request": self.limit.requests, "interval": round(self.limit.seconds)}
            raise ApiError(403, "RATE_LIMIT_EXCEEDED", "rate limit exceeded", **more)

    def forgive(self) -> None:
        """Forget failed logins, used requests and who came, and set the clock right."""
        self.limit.forget()
        self.lock_out.forget()
        self.requests.clear()
        self.clock.reset()

    def _knows(self, authorization: str) -> bool:
        kind, _, given = authorization.partition(" ")
        try:
            pair = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and hmac.compare_digest(pair, f"{self._login}:{self._password}".encode())


def create_app(settings: RobotSettings, now: Callable[[], float] = time.time) -> FastAPI:
    """The application with what an earlier run left and a server for each name. ``now``: seconds since the epoch."""
    clock, faults, memory = LabClock(now), FaultTable(), Memory(settings.memory)
    world, door = World(clock, settings.switching, installed=frozenset(settings.installed)), Door(settings, clock)
    world.remember(memory.recall() or {})
    world.seed(settings.servers)
    hall = hall_of(world, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await hall.settle()
        yield
        await hall.close()
        memory.keep(world.remembered())

    app = FastAPI(title="Robot stand-in", openapi_url=None, lifespan=lifespan)
    control = control_router(faults, settings.control_token)
    add_machine_controls(control, world, hall)
    app.include_router(_control(control, world, door, settings, hall))
    for routes in ROUTES:
        app.include_router(routes(world), dependencies=[Depends(door.check)])
    _answer_errors(app)
    app.add_middleware(FaultGate, table=faults, error_body=_fault_body)
    return app


def _fault_body(fault: Fault) -> dict[str, Any]:
    return ApiError(fault.status, "INTERNAL_ERROR", fault.message).body()


def _answer_errors(app: FastAPI) -> None:
    """Put every error into the webservice's form."""

    @app.exception_handler(ApiError)
    async def known(_request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_request: Request, error: RequestValidationError) -> JSONResponse:
        field = str(error.errors()[0]["loc"][-1])
        return JSONResponse(invalid_input(invalid=[field]).body(), 400)


def _control(control: APIRouter, world: World, door: Door, settings: RobotSettings, hall: Hall) -> APIRouter:
    @control.put("/rate-limit", status_code=204)
    async def set_limit(wanted: Limit) -> None:
        door.limit.requests, door.limit.seconds = wanted.requests, wanted.seconds

    @control.put("/switching", status_code=204)
    async def set_switching(wanted: Seconds) -> None:
        world.switching = wanted.seconds

    @control.post("/clock", status_code=204)
    async def advance(wanted: Seconds) -> None:
        door.clock.advance(wanted.seconds)

    @control.post("/forgive", status_code=204)
    async def forgive() -> None:
        door.forgive()

    @control.get("/requests")
    async def requests() -> list[tuple[str, str, bool]]:
        return door.requests

    @control.put("/vswitch/{number}/coupling", status_code=204)
    async def couple(number: int, wanted: Coupling) -> None:
        VSwitches(world).couple(number, wanted.subnet, wanted.cloud_network)

    @control.put("/vswitch/{number}/failed/{server}", status_code=204)
    async def fail(number: int, server: int) -> None:
        VSwitches(world).fail(number, server)

    @control.delete("/state", status_code=204)
    async def reset() -> None:
        world.clear(settings.servers)
        await hall.settle()

    return control
