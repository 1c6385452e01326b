"""From the environment of the engine's process to :class:`MachineApi`. None of it is in a stack's inputs or state."""

import httpx
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pxe.client import TIMEOUT, MachineApi
from pxe.deadlines import Deadlines
from pxe.errors import BadMetalSettings

PREFIX = "SLIPWAY_METAL_"


class MetalSettings(BaseSettings):
    """Read from ``SLIPWAY_METAL_URL``, ``_GRANT``, ``_DEADLINES``, ``_VERIFY_SSH`` and ``_GRACEFUL``.

    Attributes:
        url: of the API, without ``/v1``.
        grant: for one operation on one machine.
        deadlines: overrides, ``power=5,write=20``.
        verify_ssh: besides the installed system's own word, wait until SSH answers at its address. For workers that
            reach customers' addresses.
        graceful: ask the operating system to shut down before the power is cut.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    url: str = Field(pattern=r"^https?://[^/\s]+/?$")
    grant: SecretStr = Field(min_length=1)
    deadlines: str = ""
    verify_ssh: bool = False
    graceful: bool = True


def metal_settings() -> MetalSettings:
    """Read the settings.

    Raises:
        BadMetalSettings: names each variable that is missing or wrong.
    """
    try:
        settings = MetalSettings()
    except ValidationError as error:
        found = error.errors(include_input=False)
        problems = [f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" for item in found]
        raise BadMetalSettings(
            f"the environment does not say where the machine API is: {'; '.join(problems)}"
        ) from None
    Deadlines.parse(settings.deadlines)
    return settings


def connect(settings: MetalSettings) -> MachineApi:
    """Connect to the machine API. Sends nothing."""
    headers = {"Authorization": f"Bearer {settings.grant.get_secret_value()}", "User-Agent": "slipway-engine"}
    base = f"{settings.url.rstrip('/')}/v1/metal"
    return MachineApi(httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT, trust_env=False))
