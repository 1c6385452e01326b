"""Reserves and releases room on nodes, inside the order's transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.errors import NoCapacity
from api.inventory.models import Allocation, Node, NodeClass, NodeState, NodeTemplate
from api.inventory.placement import NodeRoom, choose_node
from components.specs import Resources


@dataclass(frozen=True, slots=True)
class PlacedOn:
    """Where a workload was placed, and where its template lies there."""

    node: Node
    template_source: str


class Capacity:
    """Counts every order from the moment it is placed, paid or not, so that nothing is sold twice."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def place(
        self, node_class: NodeClass, template_version_id: UUID, need: Resources, sites: Collection[UUID]
    ) -> PlacedOn:
        """Choose a node at one of ``sites`` and lock it until the transaction ends; ``hold`` then takes the room.

        All candidates are locked, in one order, so that the choice is made on numbers that cannot move and two
        buyers of the last place cannot deadlock.

        Raises:
            NoCapacity: if no active node of the class holds the template and has room.
        """
        rows = self._session.execute(
            self._candidates(node_class, template_version_id, sites)
            .order_by(Node.id)
            .with_for_update(of=Node)
            .execution_options(populate_existing=True)
        ).all()
        chosen = choose_node([_room(node) for node, _ in rows], need)
        if chosen is None:
            raise NoCapacity("there is no room for this size at the moment; nothing was charged")
        return next(PlacedOn(node, source) for node, source in rows if node.id == chosen.node_id)

    def look(
        self, node_class: NodeClass, template_version_id: UUID, need: Resources, sites: Collection[UUID]
    ) -> PlacedOn | None:
        """Return where an order would be placed now, without a lock and without a promise; None if nowhere."""
        rows = self._session.execute(self._candidates(node_class, template_version_id, sites)).all()
        chosen = choose_node([_room(node) for node, _ in rows], need)
        if chosen is None:
            return None
        return next(PlacedOn(node, source) for node, source in rows if node.id == chosen.node_id)

    def hold(self, node: Node, workload_id: UUID, need: Resources) -> None:
        """Take room on a node that ``place`` has locked."""
        node.used_cores += need.cores
        node.used_memory_mib += need.memory_mib
        node.used_disk_gib += need.disk_gib
        self._session.add(Allocation(id=uuid7(), workload_id=workload_id, node_id=node.id, **need.model_dump()))
        self._session.flush()

    def grow(self, workload_id: UUID, need: Resources) -> None:
        """Hold at least ``need`` for a workload from now on; locks its node. Gives nothing back.

        Raises:
            NoCapacity: if the node has no room for the rest.
        """
        allocation = self._session.scalars(
            select(Allocation).where(Allocation.workload_id == workload_id, Allocation.released_at.is_(None))
        ).one()
        node = self._session.get_one(Node, allocation.node_id, with_for_update=True, populate_existing=True)
        self._session.refresh(allocation, with_for_update=True)
        for name, wanted in need.model_dump().items():
            more = max(0, wanted - getattr(allocation, name))
            if getattr(node, f"used_{name}") + more > getattr(node, f"total_{name}"):
                raise NoCapacity(f"{name}: node '{node.name}' has no room for {more} more")
            setattr(allocation, name, getattr(allocation, name) + more)
            setattr(node, f"used_{name}", getattr(node, f"used_{name}") + more)
        self._session.flush()

    def release(self, workload_id: UUID) -> None:
        """Give a workload's room back; does nothing the second time."""
        allocation = self._session.scalars(
            select(Allocation).where(Allocation.workload_id == workload_id, Allocation.released_at.is_(None))
        ).one_or_none()
        if allocation is None:
            return
        node = self._session.get_one(Node, allocation.node_id, with_for_update=True, populate_existing=True)
        self._session.refresh(allocation, with_for_update=True)
        if allocation.released_at is not None:
            return
        node.used_cores -= allocation.cores
        node.used_memory_mib -= allocation.memory_mib
        node.used_disk_gib -= allocation.disk_gib
        allocation.released_at = self._session.execute(select(func.now())).scalar_one()
        self._session.flush()

    def _candidates(
        self, node_class: NodeClass, template_version_id: UUID, sites: Collection[UUID]
    ) -> Select[Node, str]:
        return (
            select(Node, NodeTemplate.source)
            .join(NodeTemplate, NodeTemplate.node_id == Node.id)
            .where(
                Node.node_class == node_class,
                Node.state == NodeState.ACTIVE,
                Node.site_id.in_(sites),
                NodeTemplate.template_version_id == template_version_id,
            )
        )


def _room(node: Node) -> NodeRoom:
    return NodeRoom(
        node_id=node.id,
        free_cores=node.total_cores - node.used_cores,
        free_memory_mib=node.total_memory_mib - node.used_memory_mib,
        free_disk_gib=node.total_disk_gib - node.used_disk_gib,
        total_cores=node.total_cores,
        total_memory_mib=node.total_memory_mib,
        total_disk_gib=node.total_disk_gib,
    )
