"""What a scan holds against each other, as plain data: what our rows expect, and what a node lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from api.drift.models import DriftKind

OUR_TAG = "slipway"
"""Every guest that we make bears it; what lacks it is not ours, whatever its number."""

ORDER_TAG = "order-"
"""Followed by the order's id: on a guest as a tag, on a DNS record as its comment."""

Records = Mapping[tuple[str, str], frozenset[str]]
"""A zone's records: contents by (name, type)."""


@dataclass(frozen=True, slots=True)
class ListedGuest:
    """A guest as its node's list describes it.

    Attributes:
        kind: ``qemu`` or ``lxc``.
        disk_gib: of the first disk, rounded down; None where the node does not say.
        lock: what Proxmox VE holds it for (``clone``, ``backup``); empty if it does not.
    """

    vmid: int
    kind: str
    name: str
    is_running: bool
    tags: frozenset[str]
    cores: int
    memory_mib: int
    disk_gib: int | None
    is_template: bool = False
    lock: str = ""


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """A DNS record as its zone lists it."""

    id: str
    name: str
    type: str
    content: str
    comment: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What our rows say of one workload's guest.

    Attributes:
        is_current: what is wanted has been applied; else only the guest's being there can be compared.
    """

    workload_id: UUID
    order_id: UUID
    vmid: int
    kind: str
    name: str
    cores: int
    memory_mib: int
    disk_gib: int
    started: bool
    fqdn: str
    ipv4: str
    ipv6: str
    is_current: bool = True

    @property
    def tags(self) -> frozenset[str]:
        """The tags that prove whose guest it is."""
        return frozenset((OUR_TAG, f"{ORDER_TAG}{self.order_id}"))


class Difference(NamedTuple):
    """One thing that is not as it should be: ``before`` is what we want, ``after`` what is there."""

    path: str
    before: Any
    after: Any

    def document(self) -> dict[str, Any]:
        """Write it for the finding's row."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A difference that one look has found."""

    workload_id: UUID
    kind: DriftKind
    paths: tuple[Difference, ...]


def order_of(tags: frozenset[str]) -> UUID | None:
    """Return the order that a guest's tags name, None if they name none or several."""
    named = [tag.removeprefix(ORDER_TAG) for tag in tags if tag.startswith(ORDER_TAG)]
    if len(named) != 1:
        return None
    try:
        return UUID(named[0])
    except ValueError:
        return None
