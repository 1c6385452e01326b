"""Gathers what the rules may know of a workload, in a bounded number of queries."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.auth.models import User
from api.dns.models import DnsLabel, DnsZone
from api.inventory.models import Allocation, Node, Site
from api.ipam.models import Address, AddressPool
from api.machines.models import Machine
from api.operations.models import Operation
from api.orders.models import Order
from api.plans.store import prices
from api.policy.settings import current_policy
from api.workloads.models import Workload, WorkloadStatus
from components.policy.context import NodeFacts, PolicyContext, Room
from components.specs.machine import MachineRef

_NOT_LIVE = (WorkloadStatus.PENDING_PAYMENT, WorkloadStatus.DELETED)


class _Surroundings(NamedTuple):
    """The one row of everything that a workload has one of."""

    node: Node | None
    machine: Machine | None
    site: str | None
    held: Allocation | None
    owner_since: datetime
    label: str | None
    zone: str | None
    now: datetime


def load_context(session: Session, workload: Workload, operation: Operation) -> PolicyContext:
    """Return the facts around a plan of ``operation``: five queries, and a sixth if the order is not in the session.

    However many workloads there are, each query reads one row by key, our few pools, one workload's addresses or one
    owner's orders.

    Backups are no product yet: there never is a newest one, so only its owner's consent lets go of a workload's data.
    """
    order = session.get_one(Order, workload.order_id)
    around = _surroundings(session, workload)
    before, after = prices(order, workload, operation)
    return PolicyContext(
        now=around.now,
        settings=current_policy(session),
        kind=workload.kind,
        order_id=workload.order_id,
        node=None if around.node is None else _node(around.node, around.site),
        machine=None if around.machine is None else _machine(around.machine),
        held=None if around.held is None else _room(around.held),
        pools=tuple(session.scalars(select(AddressPool.cidr).order_by(AddressPool.id))),
        addresses=tuple(session.scalars(select(Address.network).where(Address.workload_id == workload.id))),
        vmid=None if around.node is None else workload.vmid,
        fqdn=None if around.label is None else f"{around.label}.{around.zone}",
        has_consent=operation.has_consent,
        holds_data=workload.applied_generation > 0,
        newest_backup_at=None,
        account_age=around.now - around.owner_since,
        other_spend_cents=_other_spend(session, workload),
        price_before_cents=before,
        price_after_cents=after,
    )


def _surroundings(session: Session, workload: Workload) -> _Surroundings:
    row = session.execute(
        select(Node, Machine, Site.slug, Allocation, User.created_at, DnsLabel.label, DnsZone.name, func.now())
        .select_from(Workload)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .outerjoin(Site, Site.id == Node.site_id)
        .join(User, User.id == Workload.owner_id)
        .outerjoin(Allocation, (Allocation.workload_id == Workload.id) & Allocation.released_at.is_(None))
        .outerjoin(DnsLabel, DnsLabel.workload_id == Workload.id)
        .outerjoin(DnsZone, DnsZone.id == DnsLabel.zone_id)
        .where(Workload.id == workload.id)
        # A node's counters move with every order: what this session read earlier may be old.
        .execution_options(populate_existing=True)
    ).one()
    node, machine, site, held, owner_since, label, zone, now = row
    return _Surroundings(node, machine, site, held, owner_since, label, zone, now)


def _machine(machine: Machine) -> MachineRef:
    return MachineRef(machine_id=machine.id, name=machine.name, serial=machine.serial, boot_mac=machine.boot_mac)


def _node(node: Node, site: str | None) -> NodeFacts:
    return NodeFacts(
        name=node.name,
        site=site,
        node_class=node.node_class.value,
        total=Room(node.total_cores, node.total_memory_mib, node.total_disk_gib),
        used=Room(node.used_cores, node.used_memory_mib, node.used_disk_gib),
    )


def _room(held: Allocation) -> Room:
    return Room(held.cores, held.memory_mib, held.disk_gib)


def _other_spend(session: Session, workload: Workload) -> int:
    """Return what the owner's other paid workloads cost, in cents a month."""
    return session.execute(
        select(func.coalesce(func.sum(Order.price_cents), 0))
        .join(Workload, Workload.order_id == Order.id)
        .where(
            Workload.owner_id == workload.owner_id,
            Workload.id != workload.id,
            Workload.status.not_in(_NOT_LIVE),
        )
    ).scalar_one()
