"""Settings of the boot service, read from the environment. No secret has a default."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.db.roles import APP_ROLE

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-[]")


def _fit_for_scripts(url: AnyHttpUrl) -> AnyHttpUrl:
    if set(str(url)) - _SAFE:
        raise ValueError(
            "this address is part of boot scripts and kernel arguments: letters, digits and . _ : / - only"
        )
    return url


ScriptUrl = Annotated[AnyHttpUrl, AfterValidator(_fit_for_scripts)]


class BootSettings(BaseSettings):
    """What the boot service needs.

    Attributes:
        database_url: a login that may act as ``database_role``.
        master_keys: as the API's: they seal sessions and wipe reports.
        pxe_url: where machines reach this service, on the provisioning network.
        pxe_image_store: folder with disk images and installers (``pxe.boot.store``).
        pxe_deployer: folder with the deployer's ``kernel`` and ``initrd``.
        pxe_image_base_url: a file server that serves the store's ``images`` folder below this address; images are then
            redirected to. None: they are served from here.
        pxe_downloads: so many files are sent at once; more are told to come back.
        pxe_chunk_seconds: a machine that does not take 16 MiB of a file in so long is given up.
        pxe_requests_per_minute: of one address.
    """

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", populate_by_name=True, extra="ignore")

    database_url: Annotated[SecretStr, Field(validation_alias="DATABASE_URL")]
    database_role: Annotated[str, Field(pattern="^[a-z0-9_]{0,63}$")] = APP_ROLE
    master_keys: SecretStr
    pxe_url: ScriptUrl
    pxe_image_store: Path
    pxe_deployer: Path
    pxe_image_base_url: ScriptUrl | None = None
    pxe_downloads: Annotated[int, Field(ge=1)] = 200
    pxe_chunk_seconds: Annotated[float, Field(gt=0)] = 120
    pxe_requests_per_minute: Annotated[int, Field(ge=1)] = 1200

    @property
    def base_url(self) -> str:
        """``pxe_url`` without a slash at its end."""
        return str(self.pxe_url).rstrip("/")
