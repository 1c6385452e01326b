"""What Inventory holds of a platform stack, as a resource of the stack."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.inventory.record_provider import InventoryRecordProvider


class InventoryRecord(Resource, module="slipway", name="InventoryRecord"):
    """Tells Inventory; the engine needs ``SLIPWAY_INVENTORY_URL`` and ``SLIPWAY_INVENTORY_TOKEN``.

    It has to depend on everything else in the stack. Then Inventory hears of things once they are there, and has let go
    of them before they are taken down: the API refuses that with a list while customers are on them, and the engine
    stops before anything is deleted.

    Args:
        label: the resource's name in the stack.
        report: a ``StackReport``'s document.
    """

    report: pulumi.Output[Mapping[str, Any]]
    digest: pulumi.Output[str]
    """SHA-256 of the last report."""

    def __init__(
        self, label: str, *, report: pulumi.Input[Mapping[str, Any]], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(InventoryRecordProvider(), label, {"report": report, "digest": None}, opts)
