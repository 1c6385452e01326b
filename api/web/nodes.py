"""Nodes with their capacity, and one node with its guests."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.auth.models import User
from api.errors import NotFound
from api.inventory.lifecycle import NodeLifecycle
from api.inventory.models import Allocation, Guest, Node, NodeState, Site
from api.inventory.owners import Owners
from api.runtime import RuntimeDep, SessionDep
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, page
from api.web.visitor import Operator, Support
from api.workloads.models import Workload, WorkloadStatus

router = APIRouter()


class DecisionForm(BaseModel):
    """Why a node's state is changed."""

    reason: Reason


_VERBS_OF = {
    NodeState.PENDING: ("retire",),
    NodeState.ACTIVE: ("drain",),
    NodeState.DRAINING: ("activate", "retire"),
    NodeState.RETIRED: (),
}
"""What can be decided about a node in each state."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a node has of one thing: in use by guests, held for those to come, and in all."""

    title: str
    unit: str
    used: int
    held: int
    total: int


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as it is shown."""

    node: Node
    site: str
    guests: int
    running: int
    rooms: tuple[Room, ...]


@router.get("/admin/nodes")
def list_nodes(request: Request, visitor: Support, session: SessionDep) -> Response:
    """List nodes with bars of their capacity."""
    return page(request, visitor, "nodes.html", nodes=_views(session))


@router.get("/admin/nodes/{node_id}")
def show_node(node_id: UUID, request: Request, visitor: Support, session: SessionDep, place: PlaceDep) -> Response:
    """Show a node and what is on it."""
    views = _views(session, node_id)
    if not views:
        raise NotFound("there is no such node")
    query = (
        select(Workload, User.email.label("owner"), Guest)
        .join(User, User.id == Workload.owner_id)
        .outerjoin(Guest, Guest.workload_id == Workload.id)
        .where(Workload.node_id == node_id, Workload.status != WorkloadStatus.DELETED)
    )
    return page(
        request,
        visitor,
        "node.html",
        view=views[0],
        slice=cut(session, query, Workload.id, place),
        stack=Owners(session).of("nodes", views[0].node.name),
        verbs=_VERBS_OF[views[0].node.state],
    )


@router.post("/admin/nodes/{node_id}/drain")
def drain(node_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, session: SessionDep) -> Response:
    """Give a node no new guests."""
    node, reason = _node(session, node_id), parse(DecisionForm, form).reason
    NodeLifecycle(session).drain(node.name, reason, Actor.of(visitor.principal))
    said = "it gets no new guests; those below stay until they are moved or cancelled."
    return done(runtime, visitor, f"/admin/nodes/{node_id}", Flash("good", f"{node.name}: {said}"))


@router.post("/admin/nodes/{node_id}/activate")
def activate(node_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, session: SessionDep) -> Response:
    """Give a node that is being drained new guests again."""
    node, reason = _node(session, node_id), parse(DecisionForm, form).reason
    NodeLifecycle(session).activate(node.name, reason, Actor.of(visitor.principal))
    return done(runtime, visitor, f"/admin/nodes/{node_id}", Flash("good", f"{node.name}: it gets new guests again."))


@router.post("/admin/nodes/{node_id}/retire")
def retire(node_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, session: SessionDep) -> Response:
    """Take an empty node out of use."""
    node, reason = _node(session, node_id), parse(DecisionForm, form).reason
    NodeLifecycle(session).retire(node.name, reason, Actor.of(visitor.principal))
    return done(runtime, visitor, f"/admin/nodes/{node_id}", Flash("good", f"{node.name}: it is retired."))


def _node(session: Session, node_id: UUID) -> Node:
    node = session.get(Node, node_id)
    if node is None:
        raise NotFound("there is no such node")
    return node


def _views(session: Session, node_id: UUID | None = None) -> list[NodeView]:
    """Read nodes, what is held on them and how many guests were seen, in one statement."""
    delivered = Workload.applied_generation > 0
    sums = [
        func.coalesce(func.sum(getattr(Allocation, name)).filter(delivered), 0).label(f"real_{name}")
        for name in ("cores", "memory_mib", "disk_gib")
    ]
    held = (
        select(Allocation.node_id, *sums)
        .join(Workload, Workload.id == Allocation.workload_id)
        .where(Allocation.released_at.is_(None))
        .group_by(Allocation.node_id)
        .subquery()
    )
    guests = (
        select(
            Guest.node_id,
            func.count().label("guests"),
            func.count().filter(Guest.is_running).label("running"),
        )
        .where(Guest.absent_at.is_(None))
        .group_by(Guest.node_id)
        .subquery()
    )
    query = (
        select(Node, Site.name.label("site"), held, guests)
        .join(Site, Site.id == Node.site_id)
        .outerjoin(held, held.c.node_id == Node.id)
        .outerjoin(guests, guests.c.node_id == Node.id)
        .order_by(Site.name, Node.name)
    )
    return [_view(row) for row in session.execute(query if node_id is None else query.where(Node.id == node_id))]


def _view(row: "Row[Any]") -> NodeView:
    node: Node = row.Node
    rooms = (
        _room("Cores", "cores", node.used_cores, row.real_cores, node.total_cores),
        _room("Memory", "memory", node.used_memory_mib, row.real_memory_mib, node.total_memory_mib),
        _room("Disk", "GiB", node.used_disk_gib, row.real_disk_gib, node.total_disk_gib),
    )
    return NodeView(node, row.site, row.guests or 0, row.running or 0, rooms)


def _room(title: str, unit: str, taken: int, delivered: int | None, total: int) -> Room:
    """Split what is taken: a guest has been delivered into it, or it is only held for an order."""
    used = min(taken, delivered or 0)
    return Room(title, unit, used, taken - used, total)
