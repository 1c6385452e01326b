"""Requests for orders."""

from typing import Any

from api.orders.schemas import OrderRequest

CLOUD_VM: dict[str, Any] = {
    "product": "cloud-vm",
    "size": "small",
    "template": "debian-12",
    "name": "build-box",
    "ssh_keys": ["laptop"],
}
GAME_SERVER: dict[str, Any] = {
    "product": "game-server",
    "size": "small",
    "template": "minecraft-java",
    "name": "blocks",
}
BOT: dict[str, Any] = {"product": "bot", "size": "nano", "template": "python-bot", "name": "herald"}
BARE_METAL: dict[str, Any] = {
    "product": "bare-metal",
    "size": "metal-small",
    "template": "debian-12-metal",
    "name": "iron",
    "ssh_keys": ["laptop"],
}
"""Bodies of ``POST /v1/orders``, one a product."""


def order_request(**changes: Any) -> OrderRequest:
    """Return a request for a small cloud VM; every argument replaces a field."""
    return OrderRequest.model_validate(CLOUD_VM | changes)
