"""Installers' files, and what installers tell."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.machines.netboot.seeding import Seeding
from pxe.boot.requests import FormDep, body_of
from pxe.boot.routes.deployments import MAX_DOCUMENT
from pxe.boot.runtime import BootRuntime, BootRuntimeDep
from pxe.boot.seeds.documents import render_seed

router = APIRouter(prefix="/seed/{token}")

_DONE = 204


@router.get("/{name}")
async def seed_file(token: str, name: str, runtime: BootRuntimeDep) -> Response:
    """Give an installer one of its files."""
    return await _file(token, name, runtime)


@router.post("/answer.toml")
async def answer_file(token: str, request: Request, runtime: BootRuntimeDep) -> Response:
    """Give Proxmox VE's installer its answers: it asks by POST, with a description of the machine."""
    await body_of(request, MAX_DOCUMENT)
    return await _file(token, "answer.toml", runtime)


@router.post("/phase", status_code=_DONE)
async def installer_phase(token: str, form: FormDep, runtime: BootRuntimeDep) -> None:
    """Note an installer's phase; the first one shows the machine's serial number."""
    name, detail, serial = form.get("phase", ""), form.get("detail", ""), form.get("serial", "").strip()
    await runtime.settle(lambda session: Seeding(session).phase(token, name, detail, serial))


@router.post("/failure", status_code=_DONE)
async def installer_failure(token: str, form: FormDep, runtime: BootRuntimeDep) -> None:
    """Note that an installer has given up."""
    code, detail = form.get("code", ""), form.get("detail", "")
    await runtime.settle(lambda session: Seeding(session).failure(token, code, detail))


async def _file(token: str, name: str, runtime: BootRuntime) -> Response:
    seed = await runtime.settle(lambda session: Seeding(session).of_token(token))
    return PlainTextResponse(render_seed(name, seed, token, runtime.settings.base_url))
