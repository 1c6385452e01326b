"""Boot scripts, kernels, initrds and images."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.errors import NotFound
from api.machines.netboot.scripts import BootFromDisk, BootFromNetwork, BootScripts
from components.specs.machine import ImageFormat
from pxe.boot.files import Served
from pxe.boot.ipxe import render_local, render_network
from pxe.boot.kexec import render_kexec
from pxe.boot.runtime import BootRuntime, BootRuntimeDep

router = APIRouter()

HyphenMac = Annotated[str, Path(pattern=r"^[0-9a-f]{2}(-[0-9a-f]{2}){5}$")]
_DEPLOYER_FILES = ("kernel", "initrd", "kexec")


@router.get("/ipxe/{mac}")
async def boot_script(mac: HyphenMac, runtime: BootRuntimeDep) -> Response:
    """Give a machine its boot script; a stranger, too, gets one: it boots its own disk."""
    boot = await _decided(mac, runtime)
    if isinstance(boot, BootFromDisk):
        return PlainTextResponse(render_local(boot))
    extra = ""
    if boot.format is not ImageFormat.RAW:
        extra = await run_in_threadpool(runtime.store.installer_arguments, boot.image_name)
    return PlainTextResponse(render_network(boot, runtime.settings.base_url, extra))


@router.get("/kexec/{mac}")
async def kexec_document(mac: HyphenMac, runtime: BootRuntimeDep) -> Response:
    """Tell a machine's rescue system what to start; counted and guarded as a boot script is, for it is one."""
    sums = await _sums(runtime)
    boot = await _decided(mac, runtime)
    return PlainTextResponse(render_kexec(boot, runtime.settings.base_url, sums))


@router.api_route("/boot/{name}", methods=["GET", "HEAD"])
async def deployer_file(name: str, runtime: BootRuntimeDep) -> Response:
    """Send the deployer's kernel or initrd, or what rescue systems start them with."""
    if name not in _DEPLOYER_FILES:
        raise NotFound("there are a 'kernel', an 'initrd' and a 'kexec' here")
    return runtime.files.answer(await runtime.files.hashed(runtime.settings.pxe_deployer / name))


@router.api_route("/boot/installers/{image}/{name}", methods=["GET", "HEAD"])
async def installer_file(image: str, name: str, runtime: BootRuntimeDep) -> Response:
    """Send an installer's kernel or initrd."""
    return runtime.files.answer(await runtime.files.hashed(runtime.store.installer(image, name)))


@router.api_route("/images/{sha256}", methods=["GET", "HEAD"])
async def image(sha256: str, runtime: BootRuntimeDep) -> Response:
    """Send an image, or say at which file server it is."""
    path = runtime.store.image(sha256)
    if runtime.settings.pxe_image_base_url is not None:
        return RedirectResponse(f"{str(runtime.settings.pxe_image_base_url).rstrip('/')}/{sha256}", 302)
    return runtime.files.answer(Served(path, f'"{sha256}"'))


async def _decided(mac: str, runtime: BootRuntime) -> BootFromDisk | BootFromNetwork:
    def decide(session: Session) -> BootFromDisk | BootFromNetwork:
        return BootScripts(session).answer(mac.replace("-", ":"))

    return await runtime.settle(decide)


async def _sums(runtime: BootRuntime) -> dict[str, str]:
    """SHA-256 of the deployer's files; one that was built before there was a ``kexec`` is without it."""
    folder = runtime.settings.pxe_deployer
    names = [name for name in _DEPLOYER_FILES if (folder / name).is_file()]
    return {name: (await runtime.files.hashed(folder / name)).etag.strip('"') for name in names}
