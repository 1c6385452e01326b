"""Workloads of all customers: searched, and one with its history."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import ColumnElement, String, cast, false, func, or_, select

from api.auth.models import User
from api.drift.models import DriftFinding, FindingStatus
from api.errors import NotFound
from api.inventory.models import Guest, Node, Site
from api.machines.models import Machine
from api.operations.models import Operation
from api.orders.models import Order
from api.runtime import SessionDep
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import page
from api.web.visitor import Support
from api.workloads.models import StatusChange, Workload, WorkloadStatus
from components.specs import WorkloadKind, parse_workload_spec

router = APIRouter()
_SHOWN = 30
_LIKE_ESCAPE = "\\"


@router.get("/admin/workloads")
def list_workloads(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Support,
    session: SessionDep,
    place: PlaceDep,
    q: Choice = "",
    status: Choice = "",
    kind: Choice = "",
) -> Response:
    """List workloads, the newest first; those that are gone only if they are asked for."""
    query = (
        select(Workload, User.email.label("owner"), func.coalesce(Node.name, Machine.name).label("node"))
        .join(User, User.id == Workload.owner_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
    )
    if status:
        query = query.where(Workload.status == status if status in list(WorkloadStatus) else false())
    elif not q:
        query = query.where(Workload.status != WorkloadStatus.DELETED)
    if kind:
        query = query.where(Workload.kind == kind if kind in list(WorkloadKind) else false())
    if q.strip():
        query = query.where(_matches(q.strip()))
    return page(
        request,
        visitor,
        "workloads.html",
        slice=cut(session, query, Workload.id, place),
        statuses=list(WorkloadStatus),
        kinds=list(WorkloadKind),
        chosen={"q": q, "status": status, "kind": kind},
    )


@router.get("/admin/workloads/{workload_id}")
def show_workload(workload_id: UUID, request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show a workload with its history, its operations and what drift was found."""
    found = session.execute(
        select(Workload, Order, User, Node, Machine, Site.name.label("site"), Guest)
        .join(Order, Order.id == Workload.order_id)
        .join(User, User.id == Workload.owner_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .join(Site, Site.id == func.coalesce(Node.site_id, Machine.site_id))
        .outerjoin(Guest, Guest.workload_id == Workload.id)
        .where(Workload.id == workload_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such workload")
    return page(
        request,
        visitor,
        "workload.html",
        found=found,
        workload=found.Workload,
        spec=parse_workload_spec(found.Workload.desired),
        history=_newest(session, select(StatusChange).where(StatusChange.workload_id == workload_id), StatusChange.id),
        operations=_newest(session, select(Operation).where(Operation.workload_id == workload_id), Operation.id),
        findings=_newest(
            session,
            select(DriftFinding).where(
                DriftFinding.workload_id == workload_id, DriftFinding.status != FindingStatus.RESOLVED
            ),
            DriftFinding.id,
        ),
    )


def _newest(session: Any, query: Any, key: Any) -> Any:
    return session.scalars(query.order_by(key.desc()).limit(_SHOWN)).all()


def _matches(text: str) -> ColumnElement[bool]:
    """Find a text in what people know a workload by: name, owner, id, address, host name, VMID."""
    escaped = text.replace(_LIKE_ESCAPE, _LIKE_ESCAPE * 2).replace("%", r"\%").replace("_", r"\_")
    columns: list[Any] = [
        Workload.name,
        User.email,
        Node.name,
        Machine.name,
        Machine.serial,
        cast(Workload.id, String),
        Workload.desired["network"]["ipv4"]["address"].astext,
        Workload.desired["network"]["ipv6"]["address"].astext,
        Workload.desired["dns"]["label"].astext,
    ]
    found = [column.ilike(f"%{escaped}%", escape=_LIKE_ESCAPE) for column in columns]
    return or_(*found, cast(Workload.vmid, String) == text)
