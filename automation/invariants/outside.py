"""Invariants between our rows and the world."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from automation.invariants.world import SeenGuest, Violation, World

_THERE = frozenset({"running", "stopped", "suspended"})
_NEVER = frozenset({"pending_payment", "deleted"})
_WORKLOADS = """
    SELECT w.order_id, w.vmid, w.status, n.name AS node, d.label || '.' || z.name AS fqdn,
        EXISTS (
            SELECT 1 FROM operations o
            WHERE o.workload_id = w.id AND o.status IN ('queued', 'awaiting_approval', 'running')
        ) AS at_work
    FROM workloads w LEFT JOIN nodes n ON n.id = w.node_id
    LEFT JOIN dns_labels d ON d.workload_id = w.id LEFT JOIN dns_zones z ON z.id = d.zone_id
"""

_BOOKED = """
    SELECT o.id, coalesce(sum(l.amount_cents), 0) AS cents
    FROM orders o LEFT JOIN ledger_entries l ON l.order_id = o.id
    WHERE o.status IN ('paid', 'delivered', 'refunded') GROUP BY o.id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What our rows say of one workload; ``node`` is None if it has a machine, ``fqdn`` once its label was let go."""

    order_id: UUID
    vmid: int
    status: str
    node: str | None
    fqdn: str | None
    at_work: bool

    @property
    def must_be_there(self) -> bool:
        """Whether the guest, or machine, is promised to be there now, with its records."""
        return self.status in _THERE and not self.at_work


def known_workloads(session: Session) -> tuple[Known, ...]:
    """Read what the checks of the world compare with."""
    return tuple(Known(**row) for row in session.execute(text(_WORKLOADS)).mappings())


def one_resource_each(world: World) -> Iterator[Violation]:
    """I2: an order has one guest, and each of its names one record of a type."""
    counts = Counter(guest.order_id for guest in world.guests if guest.is_ours and guest.order_id)
    for order_id, number in counts.items():
        if number > 1:
            yield Violation("I2", str(order_id), f"{number} guests bear this order's tag")
    for (name, kind), contents in (world.records or {}).items():
        if len(contents) > 1:
            yield Violation("I2", name, f"{len(contents)} records of type {kind}: {', '.join(contents)}")


def nothing_without_its_other_half(world: World, known: Iterable[Known]) -> Iterator[Violation]:
    """I3: nothing of ours outside without a live order, and no live order without its guest and records."""
    workloads = {str(item.order_id): item for item in known}
    yield from _guests_without_order(world, workloads)
    ours = {guest.order_id: guest for guest in world.guests if guest.is_ours}
    for order_id, item in workloads.items():
        if item.must_be_there and item.node is not None and order_id not in ours:
            yield Violation("I3", order_id, f"its guest {item.vmid} is not on node {item.node}")
    if world.records is not None:
        yield from _records(world.records, workloads.values())


def nothing_is_on_two_machines(world: World) -> Iterator[Violation]:
    """I5: no address, MAC or VMID on two live guests."""
    yield from _doubles("VMID", ((str(guest.vmid), guest) for guest in world.guests))
    yield from _doubles("address", ((item, guest) for guest in world.guests for item in guest.addresses))
    yield from _doubles("MAC address", ((item, guest) for guest in world.guests for item in guest.macs))


def money_agrees(session: Session, world: World) -> Iterator[Violation]:
    """I4: the ledger says of each order what the payment provider says, unless the news is still under way."""
    if world.money is None:
        return
    for row in session.execute(text(_BOOKED)):
        theirs = world.money.get(row.id, 0)
        if row.cents != theirs:
            yield Violation("I4", str(row.id), f"the ledger says {row.cents} cents, the payment provider {theirs}")


def one_engine_at_a_time(world: World) -> Iterator[Violation]:
    """I7: no two engines work on one stack."""
    for stack, number in world.engines.items():
        if number > 1:
            yield Violation("I7", stack, f"{number} engines work on it at once")


def _guests_without_order(world: World, workloads: Mapping[str, Known]) -> Iterator[Violation]:
    for guest in world.guests:
        item = workloads.get(guest.order_id or "")
        subject, where = f"{guest.node}/{guest.vmid}", "bears our tag, and"
        if not guest.is_ours:
            continue
        if item is None:
            yield Violation("I3", subject, f"{where} no order of ours is behind it")
        elif item.status in _NEVER:
            yield Violation("I3", subject, f"{where} its workload is {item.status}")
        elif (item.vmid, item.node) != (guest.vmid, guest.node):
            yield Violation("I3", subject, f"{where} its order's guest is {item.node}/{item.vmid}")


def _records(records: Mapping[tuple[str, str], tuple[str, ...]], known: Iterable[Known]) -> Iterator[Violation]:
    by_name = {item.fqdn: item for item in known if item.fqdn is not None}
    for name, kind in records:
        if name not in by_name:
            yield Violation("I3", name, f"a record of type {kind} that nothing of ours holds")
    for fqdn, item in by_name.items():
        for kind in ("A", "AAAA"):
            if item.must_be_there and (fqdn, kind) not in records:
                yield Violation("I3", fqdn, f"its record of type {kind} is missing")


def _doubles(word: str, items: Iterable[tuple[str, SeenGuest]]) -> Iterator[Violation]:
    found: dict[str, list[str]] = {}
    for value, guest in items:
        found.setdefault(value, []).append(f"{guest.node}/{guest.vmid}")
    shared = ((value, guests) for value, guests in found.items() if len(guests) > 1)
    return chain(Violation("I5", value, f"this {word} is on {' and '.join(guests)}") for value, guests in shared)
