"""Credentials from the environment of the engine's process."""

import os

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from components.pve_access.errors import AccessError
from components.specs.platform import credential_variable

ROOT = "root@pam"


class InventorySettings(BaseSettings):
    """Read from ``SLIPWAY_INVENTORY_URL`` and ``SLIPWAY_INVENTORY_TOKEN``."""

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_INVENTORY_", frozen=True)

    url: str = Field(pattern=r"^https?://")
    token: SecretStr = Field(min_length=1)


def inventory_settings() -> InventorySettings:
    """Read the settings.

    Raises:
        AccessError: names the variable that is missing or wrong.
    """
    try:
        return InventorySettings()
    except ValidationError as error:
        problems = [f"SLIPWAY_INVENTORY_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise AccessError(f"tell the engine where the control plane is: {'; '.join(problems)}") from None


def root_password(node: str) -> str:
    """Return the password of ``root@pam`` on a node.

    Raises:
        AccessError: names the variable that is missing.
    """
    variable = credential_variable("PROXMOX_VE_PASSWORD", node)
    password = os.environ.get(variable)
    if not password:
        raise AccessError(f"set {variable} to the password of {ROOT} on the node '{node}'")
    return password
