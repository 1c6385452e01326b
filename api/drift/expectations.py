"""Reads what our rows expect of the world; one statement for all workloads of a node."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from api.drift.facts import Expected, ListedGuest, order_of
from api.operations.models import ACTIVE, Operation
from api.workloads.models import Workload, WorkloadStatus
from components.specs import WorkloadKind

_VIRTUAL_MACHINE = WorkloadKind.CLOUD_VM


@dataclass(frozen=True, slots=True)
class State:
    """Whether a workload can be judged.

    Attributes:
        is_settled: no operation is under way, and none has ended since the look began.
        is_wanted: it shall be there.
    """

    is_settled: bool
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """A workload that a guest outside its place belongs to; ``is_live`` unless it was deleted."""

    workload_id: UUID
    order_id: UUID
    vmid: int
    node_id: UUID
    is_live: bool


class Expectations:
    """Reads workloads as a scan needs them; never locks one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def on_node(self, node_id: UUID) -> list[Expected]:
        """Return the delivered workloads of a node that no operation is at work on."""
        desired, resources = Workload.desired, Workload.desired["resources"]
        query = select(
            Workload.id,
            Workload.order_id,
            Workload.vmid,
            Workload.kind,
            desired["hostname"].as_string(),
            resources["cores"].as_integer(),
            resources["memory_mib"].as_integer(),
            resources["disk_gib"].as_integer(),
            desired["started"].as_boolean(),
            desired["dns"]["label"].as_string() + "." + desired["dns"]["zone_name"].as_string(),
            desired["network"]["ipv4"]["address"].as_string(),
            desired["network"]["ipv6"]["address"].as_string(),
            Workload.generation == Workload.applied_generation,
        ).where(Workload.node_id == node_id, _is_wanted(), ~_is_busy(None))
        return [_expected(row) for row in self._session.execute(query)]

    def states(self, workload_ids: Iterable[UUID], since: datetime) -> dict[UUID, State]:
        """Return how workloads stand now, after a look that began at ``since`` (database time)."""
        query = select(Workload.id, _is_busy(since), _is_wanted()).where(Workload.id.in_(set(workload_ids)))
        return {row[0]: State(is_settled=not row[1], is_wanted=row[2]) for row in self._session.execute(query)}

    def owners(self, guests: Collection[ListedGuest]) -> dict[int, Owner]:
        """Return whom guests belong to by their order's tag or their number, by VMID; one statement, none for none."""
        if not guests:
            return {}
        orders = {order: guest.vmid for guest in guests if (order := order_of(guest.tags)) is not None}
        query = select(
            Workload.id, Workload.order_id, Workload.vmid, Workload.node_id, Workload.status != WorkloadStatus.DELETED
        ).where(or_(Workload.order_id.in_(orders), Workload.vmid.in_([guest.vmid for guest in guests])))
        rows = [
            Owner(workload_id, order_id, vmid, node_id, is_wanted)
            for workload_id, order_id, vmid, node_id, is_wanted in self._session.execute(query)
            if node_id is not None  # a machine of its own is no guest
        ]
        by_order, by_vmid = {row.order_id: row for row in rows}, {row.vmid: row for row in rows}
        found = {guest.vmid: by_order.get(order_of(guest.tags)) or by_vmid.get(guest.vmid) for guest in guests}  # type: ignore[arg-type]  # None is no key, and so finds nothing
        return {vmid: owner for vmid, owner in found.items() if owner is not None}


def _is_wanted() -> ColumnElement[bool]:
    return and_(
        Workload.applied_generation > 0,
        Workload.desired_absent.is_(False),
        Workload.status != WorkloadStatus.DELETED,
    )


def _is_busy(since: datetime | None) -> ColumnElement[bool]:
    """Tell whether an operation on the workload is under way, or has ended at ``since`` or later."""
    at_work: Any = Operation.status.in_(ACTIVE)
    if since is not None:
        at_work = or_(at_work, Operation.finished_at >= since)
    return exists().where(Operation.workload_id == Workload.id, at_work)


def _expected(row: Any) -> Expected:
    workload_id, order_id, vmid, kind, *rest = row
    return Expected(workload_id, order_id, vmid, "qemu" if kind is _VIRTUAL_MACHINE else "lxc", *rest)
