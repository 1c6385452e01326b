"""Who needs a part of the estate."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from api.auth.models import User
from api.dns.models import DnsLabel, DnsZone
from api.inventory.errors import StillInUse
from api.inventory.models import NODES_IN_USE, Allocation, Guest, Node, NodeState, Site
from api.inventory.platform_models import PoolServer
from api.ipam.models import Address, AddressPool, AddressState
from api.machines.models import Machine
from api.workloads.models import Workload
from components.specs.machine import MachineState

_LISTED = 100
"""Workloads in one refusal; the sentence says how many there are."""


@dataclass(frozen=True, slots=True)
class Use:
    """A workload, and the thing of the estate that it needs."""

    id: UUID
    name: str
    owner: str
    vmid: int
    on: str

    def shown(self) -> dict[str, Any]:
        """Return it as a problem document has it."""
        return {**asdict(self), "id": str(self.id)}


def users_of_nodes(session: Session, names: Collection[str]) -> list[Use]:
    """Return what is placed on nodes, paid or not, or was seen there and not yet seen gone."""
    held = and_(Allocation.workload_id == Workload.id, Allocation.released_at.is_(None))
    seen = and_(Guest.workload_id == Workload.id, Guest.absent_at.is_(None))
    query = (
        _uses(Node.name)
        .outerjoin(Allocation, held)
        .outerjoin(Guest, seen)
        .join(Node, or_(Node.id == Allocation.node_id, Node.id == Guest.node_id))
        .where(Node.name.in_(names))
    )
    return _read(session, query, "node")


def users_of_pools(session: Session, names: Collection[str]) -> list[Use]:
    """Return what holds addresses of pools."""
    query = (
        _uses(AddressPool.name)
        .join(Address, Address.workload_id == Workload.id)
        .join(AddressPool, AddressPool.id == Address.pool_id)
        .where(AddressPool.name.in_(names), Address.state == AddressState.HELD)
    )
    return _read(session, query, "address pool")


def users_of_zones(session: Session, names: Collection[str]) -> list[Use]:
    """Return what has a name in zones."""
    query = (
        _uses(DnsZone.name)
        .join(DnsLabel, DnsLabel.workload_id == Workload.id)
        .join(DnsZone, DnsZone.id == DnsLabel.zone_id)
        .where(DnsZone.name.in_(names))
    )
    return _read(session, query, "zone")


def users_of_machines(session: Session, names: Collection[str]) -> list[Use]:
    """Return what machines are held for, from the order until they are wiped."""
    query = _uses(Machine.name).join(Machine, Machine.workload_id == Workload.id).where(Machine.name.in_(names))
    return _read(session, query, "machine")


def things_at_sites(session: Session, slugs: Collection[str]) -> list[str]:
    """Return what is at sites, in words; nodes and machines that are retired do not count."""
    live = Node.state.in_((*NODES_IN_USE, NodeState.PENDING))
    found: list[str] = []
    for word, model, condition in (
        ("node", Node, live),
        ("address pool", AddressPool, AddressPool.id.is_not(None)),
        ("server", PoolServer, PoolServer.id.is_not(None)),
        ("machine", Machine, Machine.state != MachineState.RETIRED),
    ):
        query = select(model.name, Site.slug).join(Site, Site.id == model.site_id).order_by(model.name)
        rows = session.execute(query.where(Site.slug.in_(slugs), condition))
        found += [f"{word} '{row.name}' is at site '{row.slug}'" for row in rows]
    return found


def refuse_use(what: str, uses: Iterable[Use], things: Collection[str] = ()) -> None:
    """Refuse to take away what is needed.

    Raises:
        StillInUse: if anything needs it, with the list.
    """
    found = sorted(uses, key=lambda use: (use.on, use.vmid))
    if not found and not things:
        return
    first = ", ".join(f"{use.name} (VMID {use.vmid}, {use.owner}) on {use.on}" for use in found[:5])
    more = f" and {len(found) - 5} more" if len(found[5:]) else ""
    customers = [f"{len(found)} workloads need it: {first}{more}"] if found else []
    raise StillInUse(
        f"{what}: {'; '.join([*customers, *things])}. Move or cancel them first; nothing was changed",
        workloads=[use.shown() for use in found[:_LISTED]],
        things=list(things),
    )


def _uses(name: Any) -> Select[Any]:
    return (
        select(Workload.id, Workload.name, User.email.label("owner"), Workload.vmid, name.label("thing"))
        .distinct()
        .select_from(Workload)
        .join(User, User.id == Workload.owner_id)
    )


def _read(session: Session, query: Select[Any], word: str) -> list[Use]:
    return [Use(row.id, row.name, row.owner, row.vmid, f"{word} {row.thing}") for row in session.execute(query)]
