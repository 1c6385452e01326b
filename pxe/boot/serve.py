"""The boot service's process: ``uvicorn --factory pxe.boot.serve:app``, configured by the environment."""

from fastapi import FastAPI

from api.db.session import connect
from api.logs import configure_logging
from api.tracing import configure_tracing
from api.vault import Vault
from pxe.boot.app import create_boot_app
from pxe.boot.files import FileServer
from pxe.boot.runtime import BootRuntime
from pxe.boot.settings import BootSettings
from pxe.boot.store import ImageStore


def app() -> FastAPI:
    """Build the application.

    Raises:
        pydantic.ValidationError: naming the settings that are missing or wrong.
        ValueError: if a master key is not a key.
    """
    configure_logging()
    configure_tracing("slipway-boot")
    return create_boot_app(build_boot_runtime(BootSettings()))


def build_boot_runtime(settings: BootSettings) -> BootRuntime:
    """Open the process's connections; nothing is sent yet, so this does not block."""
    return BootRuntime(
        settings=settings,
        database=connect(settings.database_url.get_secret_value(), role=settings.database_role),
        vault=Vault(settings.master_keys.get_secret_value()),
        store=ImageStore(settings.pxe_image_store),
        files=FileServer(settings.pxe_downloads, settings.pxe_chunk_seconds),
    )
