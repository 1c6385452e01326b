"""What may be deleted as an orphan. Pure: the last word before anything of the outside world is removed."""

from dataclasses import dataclass
from uuid import UUID

from api.drift.facts import ORDER_TAG, OUR_TAG, order_of
from api.drift.models import OrphanKind, OrphanStatus

OUR_VMIDS = range(100_000, 1_000_000_000)
"""The numbers that we give out (``api.ipam.models.VMID_SEQUENCE``); templates and people's guests lie below."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something of ours without its counterpart, as one sweep saw it.

    Attributes:
        place: the node, the zone or the address pool.
        subject: what it is there: a VMID, a record's id, an address.
        guest_kind: ``qemu`` or ``lxc``, for a guest.
    """

    kind: OrphanKind
    place: str
    subject: str
    name: str
    tags: tuple[str, ...] = ()
    vmid: int | None = None
    guest_kind: str | None = None
    workload_id: UUID | None = None


def removal_refusal(orphan: Orphan, status: OrphanStatus) -> str | None:
    """Say why an orphan must not be removed, or not yet; None if it may be."""
    if orphan.kind is OrphanKind.ROW_WITHOUT_GUEST:
        return "the row is a customer's workload: decide about its drift finding, or cancel the workload"
    forbidden = _not_ours(orphan)
    if forbidden is not None:
        return forbidden
    if status is OrphanStatus.SEEN:
        return "it was not seen for long enough: an operation may still be at work on it"
    if status is not OrphanStatus.CONFIRMED:
        return f"it is '{status}'"
    return None


def order_tag(orphan: Orphan) -> str:
    """Return the tag that names the order of a guest, or the comment of a DNS record."""
    return next((tag for tag in orphan.tags if tag.startswith(ORDER_TAG)), "")


def describe_removal(orphan: Orphan) -> str:
    """Say in a sentence what a removal deletes."""
    if orphan.kind is OrphanKind.GUEST_WITHOUT_ROW:
        return f"guest {orphan.vmid} ('{orphan.name}') on node {orphan.place} with all its disks, backups excepted"
    if orphan.kind is OrphanKind.DNS_RECORD_WITHOUT_ROW:
        return f"the DNS record {orphan.name} in zone {orphan.place}"
    if orphan.kind is OrphanKind.ADDRESS_WITHOUT_GUEST:
        return f"the reservation of {orphan.subject} in pool {orphan.place}; the address rests before it is used again"
    return f"nothing: {orphan.name} is a customer's workload"


def _not_ours(orphan: Orphan) -> str | None:
    tags = frozenset(orphan.tags)
    if orphan.kind is OrphanKind.GUEST_WITHOUT_ROW:
        if OUR_TAG not in tags or order_of(tags) is None:
            return f"the guest does not bear our tags '{OUR_TAG}' and '{ORDER_TAG}…': it is never deleted"
        if orphan.vmid not in OUR_VMIDS:
            return f"its VMID {orphan.vmid} is not one that we give out: somebody made a copy; delete it by hand"
    if orphan.kind is OrphanKind.DNS_RECORD_WITHOUT_ROW and order_of(tags) is None:
        return "the record's comment does not name an order of ours: it is never deleted"
    return None
