"""From the environment to :class:`Inventory`."""

import httpx
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from components.inventory.client import TIMEOUT, Inventory
from components.inventory.errors import InventoryError


class InventorySettings(BaseSettings):
    """Read from ``SLIPWAY_INVENTORY_URL`` and ``SLIPWAY_INVENTORY_TOKEN``.

    Attributes:
        url: of the API, without ``/v1``.
        token: of the scope ``inventory:sync``.
    """

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_INVENTORY_", frozen=True)

    url: str = Field(pattern=r"^https?://[^/\s]+/?$")
    token: SecretStr = Field(min_length=1)


def connect() -> Inventory:
    """Connect as the environment says. Sends nothing.

    Raises:
        InventoryError: names the variable that is missing or wrong.
    """
    try:
        settings = InventorySettings()
    except ValidationError as error:
        problems = [f"SLIPWAY_INVENTORY_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise InventoryError(
            f"set in the environment where Inventory is: {'; '.join(problems)}. A stack that has nobody to tell yet "
            "says 'tells_inventory: false'"
        ) from None
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}", "User-Agent": "slipway-stack"}
    return Inventory(httpx.Client(base_url=f"{settings.url.rstrip('/')}/v1", headers=headers, timeout=TIMEOUT))
