"""What must hold after every step of a life, whatever happened: our rows against the world's own truth."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.billing.models import EntryKind, LedgerEntry, Refund
from api.inventory.models import Allocation, Node
from api.ipam.models import Address, AddressState
from api.operations.models import ACTIVE, Operation
from api.orders.models import Order, OrderStatus
from api.workloads.models import Workload, WorkloadStatus
from tests.model.hosting import Hosting

_GOING = {WorkloadStatus.CANCELLING, WorkloadStatus.DELETED, WorkloadStatus.NEEDS_ATTENTION}
_NOWHERE = {WorkloadStatus.DELETED, WorkloadStatus.PENDING_PAYMENT}
_MONEY_GONE = {OrderStatus.REFUNDED, OrderStatus.REFUND_DUE, OrderStatus.EXPIRED}


@dataclass
class Rows:
    """All rows that the invariants speak of, read in one transaction."""

    orders: dict[UUID, Order]
    workloads: dict[UUID, Workload]
    operations: dict[UUID, list[Operation]] = field(default_factory=dict)
    ledger: dict[UUID, Counter[EntryKind]] = field(default_factory=dict)
    addresses: dict[str, UUID | None] = field(default_factory=dict)
    allocations: list[Allocation] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    refunds: dict[UUID, Refund] = field(default_factory=dict)

    @classmethod
    def read(cls, hosting: Hosting) -> "Rows":
        """Read what is there; operations come by workload, oldest first."""
        with hosting.database.transaction() as transaction:
            session = transaction.session
            rows = cls(
                {order.id: order for order in session.scalars(select(Order))},
                {workload.order_id: workload for workload in session.scalars(select(Workload))},
            )
            for operation in session.scalars(select(Operation).order_by(Operation.id)):
                rows.operations.setdefault(operation.workload_id, []).append(operation)
            for entry in session.scalars(select(LedgerEntry)):
                rows.ledger.setdefault(entry.order_id, Counter())[entry.kind] += entry.amount_cents
            held = select(Address).where(Address.state == AddressState.HELD)
            rows.addresses = {str(row.network): row.workload_id for row in session.scalars(held)}
            rows.allocations = list(session.scalars(select(Allocation).where(Allocation.released_at.is_(None))))
            rows.nodes = list(session.scalars(select(Node)))
            rows.refunds = {row.order_id: row for row in session.scalars(select(Refund))}
            return rows

    def latest(self, workload: Workload) -> Operation | None:
        """Return a workload's newest operation."""
        return (self.operations.get(workload.id) or [None])[-1]  # type: ignore[list-item]

    def is_busy(self, workload: Workload) -> bool:
        """Tell whether anything is to be done for a workload."""
        latest = self.latest(workload)
        return latest is not None and latest.status in ACTIVE


def violations(hosting: Hosting) -> list[str]:
    """Return what is wrong now, in sentences that begin with the invariant's number."""
    rows = Rows.read(hosting)
    return [
        *_paid_is_never_forgotten(rows),
        *_guests_are_ours(hosting, rows),
        *_what_we_say_is_there(hosting, rows),
        *_money_adds_up(hosting, rows),
        *_nothing_is_sold_twice(hosting, rows),
        *_used_is_the_sum(rows),
        *(f"I7: {rule}" for rule in hosting.engine.broken_rules),
        *_idle_stacks_are_tidy(hosting, rows),
    ]


def _paid_is_never_forgotten(rows: Rows) -> Iterator[str]:
    for order in rows.orders.values():
        workload = rows.workloads[order.id]
        if order.status is OrderStatus.PAID and not rows.is_busy(workload):
            yield f"I1: order {order.id} is paid and nothing is being done for it ({workload.status})"
        if order.status is OrderStatus.REFUND_DUE and order.id not in rows.refunds:
            yield f"I1: order {order.id} is owed a refund that nobody will pay"
        if order.status in _MONEY_GONE and workload.status not in _GOING:
            yield f"I1: order {order.id} is {order.status} and its workload {workload.status}"


def _guests_are_ours(hosting: Hosting, rows: Rows) -> Iterator[str]:
    by_vmid = {workload.vmid: workload for workload in rows.workloads.values()}
    for (node, vmid), guest in hosting.guests.guests.items():
        owner = by_vmid.get(vmid)
        if owner is None or owner.status in _NOWHERE:
            yield f"I3: guest {vmid} on {node} has no order"
        elif str(owner.order_id) not in " ".join(guest.tags):
            yield f"I2: guest {vmid} does not bear its order's tag: {sorted(guest.tags)}"
    for vmid, times in Counter(vmid for _, vmid in hosting.guests.guests).items():
        if times > 1:
            yield f"I2: guest {vmid} is on {times} nodes"


def _what_we_say_is_there(hosting: Hosting, rows: Rows) -> Iterator[str]:
    for workload in rows.workloads.values():
        said = {WorkloadStatus.RUNNING: True, WorkloadStatus.STOPPED: False}.get(workload.status)
        if said is None or rows.is_busy(workload):
            continue
        there = hosting.guests.of_vmid(workload.vmid)
        if [guest.is_running for guest in there] != [said]:
            yield f"I3: workload {workload.id} is said to be {workload.status}, and there is {there}"


def _money_adds_up(hosting: Hosting, rows: Rows) -> Iterator[str]:
    for order in rows.orders.values():
        booked = rows.ledger.get(order.id, Counter())
        paid, back = booked[EntryKind.PAYMENT], -booked[EntryKind.REFUND]
        taken = hosting.payments.taken.get(order.id, 0)
        returned = hosting.payments.refunds.get(order.id, 0)
        if paid not in {0, taken}:
            yield f"I4: order {order.id}: {paid} booked, {taken} taken"
        if back > returned or returned > taken:
            yield f"I4: order {order.id}: {back} booked back, {returned} returned of {taken}"
        if order.status is OrderStatus.REFUNDED and (paid, back) != (taken, taken):
            yield f"I4: order {order.id} is refunded, with {paid} booked and {back} booked back of {taken}"


def _nothing_is_sold_twice(hosting: Hosting, rows: Rows) -> Iterator[str]:
    """Addresses belong to those whose guests use them: whoever still has a guest holds them."""
    by_vmid = {workload.vmid: workload for workload in rows.workloads.values()}
    for _, vmid in hosting.guests.guests:
        workload = by_vmid.get(vmid)
        if workload is None:
            continue
        for network in _networks(workload.desired):
            if rows.addresses.get(network) != workload.id:
                yield f"I5: guest {vmid} uses {network}, which {rows.addresses.get(network) or 'nobody'} holds"


def _networks(desired: dict[str, Any]) -> Iterable[str]:
    network = desired["network"]
    return f"{network['ipv4']['address']}/32", str(network["ipv6"]["network"])


def _used_is_the_sum(rows: Rows) -> Iterator[str]:
    for node in rows.nodes:
        there = [row for row in rows.allocations if row.node_id == node.id]
        summed = tuple(sum(getattr(row, name) for row in there) for name in ("cores", "memory_mib", "disk_gib"))
        used = node.used_cores, node.used_memory_mib, node.used_disk_gib
        if summed != used:
            yield f"I6: node {node.name} counts {used} used, its allocations come to {summed}"


def _idle_stacks_are_tidy(hosting: Hosting, rows: Rows) -> Iterator[str]:
    for workload in rows.workloads.values():
        stack = hosting.engine.stacks.get(workload.stack)
        latest = rows.latest(workload)
        untidy = (stack is not None and stack.locked) or workload.stack in hosting.engine.half_made
        if untidy and (latest is None or latest.engine is None):
            yield f"I8: stack {workload.stack} is locked or half-made, and nobody knows"
        if stack is not None and not workload.has_stack:
            yield f"I8: stack {workload.stack} is there, and the workload says that it has none"
