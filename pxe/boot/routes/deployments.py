"""What a machine and the boot service say to each other during a deployment."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from api.machines.netboot.checkin import CheckIns
from api.machines.netboot.phases import Progress
from api.machines.netboot.reports import Reports
from api.machines.netboot.seeding import Seeding
from pxe.boot.placed import render_placed
from pxe.boot.requests import BearerDep, FormDep, body_of
from pxe.boot.runtime import BootRuntimeDep

router = APIRouter(prefix="/deployments/{deployment_id}")

MAX_DOCUMENT = 256 * 1024
MAX_CONSOLE = 64 * 1024
_DONE = 204


@router.post("/checkin")
async def check_in(deployment_id: UUID, request: Request, token: BearerDep, runtime: BootRuntimeDep) -> Response:
    """Take a machine's facts and tell it what to do."""
    body, base_url = await body_of(request, MAX_DOCUMENT), runtime.settings.base_url
    plan = await runtime.settle(
        lambda session: CheckIns(session, runtime.vault, base_url).check_in(deployment_id, token, body)
    )
    return PlainTextResponse(plan)


@router.post("/phases", status_code=_DONE)
async def phase(deployment_id: UUID, secret: BearerDep, form: FormDep, runtime: BootRuntimeDep) -> None:
    """Note a phase."""
    name, detail = form.get("phase", ""), form.get("detail", "")
    await runtime.settle(lambda session: Progress(session).phase(deployment_id, secret, name, detail))


@router.post("/failure", status_code=_DONE)
async def failure(deployment_id: UUID, secret: BearerDep, form: FormDep, runtime: BootRuntimeDep) -> None:
    """Note that the machine has given up, and why."""
    code, detail = form.get("code", ""), form.get("detail", "")
    await runtime.settle(lambda session: Progress(session).failure(deployment_id, secret, code, detail))


@router.post("/report", status_code=_DONE)
async def report(
    deployment_id: UUID,
    request: Request,
    secret: BearerDep,
    runtime: BootRuntimeDep,
    x_signature: Annotated[str, Header(max_length=200)] = "",
) -> None:
    """Take the report of an inspection or a wipe."""
    body = await body_of(request, MAX_DOCUMENT)
    await runtime.settle(lambda session: Reports(session, runtime.vault).take(deployment_id, secret, x_signature, body))


@router.post("/running", status_code=_DONE)
async def running(deployment_id: UUID, callback: BearerDep, form: FormDep, runtime: BootRuntimeDep) -> None:
    """Note that the installed system runs; what it calls itself is of no consequence."""
    del form
    await runtime.settle(lambda session: Progress(session).running(deployment_id, callback))


@router.post("/console", status_code=_DONE)
async def console(deployment_id: UUID, request: Request, secret: BearerDep, runtime: BootRuntimeDep) -> None:
    """Keep a piece of what the machine prints."""
    raw = await body_of(request, MAX_CONSOLE)
    await runtime.settle(lambda session: Progress(session).console(deployment_id, secret, raw))


@router.get("/files/{name}")
async def file(deployment_id: UUID, name: str, secret: BearerDep, runtime: BootRuntimeDep) -> Response:
    """Give one file as it is to lie on the disk."""
    seed = await runtime.settle(lambda session: Seeding(session).of_session(deployment_id, secret))
    return PlainTextResponse(render_placed(name, seed, runtime.settings.base_url))
