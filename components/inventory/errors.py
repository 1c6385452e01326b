"""What can go wrong with Inventory."""

from collections.abc import Mapping, Sequence
from typing import Any


class InventoryError(Exception):
    """Base of all; the message is a sentence that says what to do."""


class InventoryUnreachable(InventoryError):  # noqa: N818 - what it is
    """The API gave no answer, for as long as was waited, or is broken: a change may or may not have been made."""


class InventoryRefused(InventoryError):  # noqa: N818 - what the API did
    """The API understood and said no; nothing was changed.

    Attributes:
        status: of HTTP.
        code: the API's own, as in ``still_in_use``.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status, self.code = status, str(problem.get("code", f"http_{status}"))
        super().__init__(_sentence(self.code, status, problem))


def _sentence(code: str, status: int, problem: Mapping[str, Any]) -> str:
    """What was said, what to do, and one line a customer's workload, where those are why."""
    said = str(problem.get("detail") or problem.get("title") or f"it answered {status}")
    workloads: Sequence[Mapping[str, Any]] = problem.get("workloads") or ()
    listed = [f"\n  {one['name']} (VMID {one['vmid']}) of {one['owner']}, on {one['on']}" for one in workloads]
    hint = ""
    if code == "missing_scope":
        hint = ": SLIPWAY_INVENTORY_TOKEN has to be a token made by `slipway inventory token`"
    if code == "unauthenticated":
        hint = ": SLIPWAY_INVENTORY_TOKEN is wrong, expired or revoked; `slipway inventory token` makes another"
    return f"Inventory refused: {said} ({code}){hint}{''.join(listed)}"
