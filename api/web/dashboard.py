"""The start: what waits for somebody, what is wrong, what is going on, how full we are."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from api.alerts.models import Alert
from api.auth.models import User
from api.inventory.models import Node, NodeState
from api.machines.models import Machine
from api.operations.models import Operation, OperationStatus
from api.plans.models import Plan, PlanStatus
from api.runtime import SessionDep
from api.web.machine_words import GROUPS
from api.web.operations import operation_columns
from api.web.rendering import page
from api.web.visitor import Support
from api.workloads.models import Workload, WorkloadStatus

router = APIRouter()
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of what, counted in one statement."""

    waiting: int
    running: int
    queued: int
    workloads: int
    troubled: int
    alerts: int
    machines_free: int
    machines_used: int
    machines_troubled: int


@router.get("/admin")
def dashboard(request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show the dashboard."""
    return page(
        request,
        visitor,
        "dashboard.html",
        counts=_count(session),
        waiting=session.execute(waiting_plans().limit(_SHOWN)).all(),
        running=session.execute(_running()).all(),
        alerts=session.scalars(
            select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.id.desc()).limit(_SHOWN)
        ).all(),
        capacity=_capacity(session),
    )


def waiting_plans() -> "Select[Plan, str, str, str | None]":
    """Select the plans that wait for a word, the one that expires first at the top."""
    return (
        select(Plan, Workload.name.label("workload"), Operation.kind.label("kind"), User.email.label("email"))
        .join(Operation, Operation.id == Plan.operation_id)
        .join(Workload, Workload.id == Plan.workload_id)
        .outerjoin(User, User.id == Operation.requested_by)
        .where(Plan.status == PlanStatus.CURRENT, Operation.status == OperationStatus.AWAITING_APPROVAL)
        .order_by(Plan.expires_at)
    )


def _running() -> Select[Any]:
    return operation_columns().where(Operation.status == OperationStatus.RUNNING).order_by(Operation.id).limit(_SHOWN)


def _count(session: Session) -> Counts:
    def number(model: Any, *conditions: Any) -> Any:
        return select(func.count()).select_from(model).where(*conditions).scalar_subquery()

    row = session.execute(
        select(
            number(Operation, Operation.status == OperationStatus.AWAITING_APPROVAL),
            number(Operation, Operation.status == OperationStatus.RUNNING),
            number(Operation, Operation.status == OperationStatus.QUEUED),
            number(Workload, Workload.status != WorkloadStatus.DELETED),
            number(Workload, Workload.status == WorkloadStatus.NEEDS_ATTENTION),
            number(Alert, Alert.resolved_at.is_(None)),
            number(Machine, Machine.state.in_(GROUPS["free"])),
            number(Machine, Machine.state.in_(GROUPS["in use"])),
            number(Machine, Machine.state.in_(GROUPS["in trouble"])),
        )
    ).one()
    return Counts(*row)


def _capacity(session: Session) -> "list[Row[Any]]":
    """Sum the capacity of the nodes that take guests, by class."""
    names = ("cores", "memory_mib", "disk_gib")
    columns = [f"{side}_{name}" for name in names for side in ("used", "total")]
    sums = [func.sum(getattr(Node, column)).label(column) for column in columns]
    query = select(Node.node_class, func.count().label("nodes"), *sums).where(Node.state == NodeState.ACTIVE)
    return list(session.execute(query.group_by(Node.node_class).order_by(Node.node_class)).all())
