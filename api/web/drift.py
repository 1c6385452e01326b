"""Drift: what differs from what is wanted, and what to do about it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Select, false, func, select

from api.auth.models import User
from api.db.session import Transaction
from api.drift.models import DriftFinding, DriftIgnore, DriftKind, FindingStatus, ScanRun, Severity
from api.drift.repair import DriftRepair, Repair
from api.errors import NotFound
from api.inventory.models import Node
from api.jobs import Job
from api.machines.models import Machine
from api.plans.document import PlanStep
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep
from api.web.diff import view
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, page
from api.web.visitor import Operator, Support, Visitor
from api.workloads.models import Workload, WorkloadStatus

router = APIRouter()
_LIVE = "live"
_RULES = 50
_IGNORED = "Ignored; other differences still count."


class DecisionForm(BaseModel):
    """Why somebody adopts or reverts."""

    reason: Reason
    accepts_data_loss: bool = False


class IgnoreForm(BaseModel):
    """Why, for how long and about what somebody does not care."""

    reason: Reason
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    path_pattern: Annotated[str, Field(max_length=200)] | None = None


def finding_columns() -> "Select[DriftFinding, str, WorkloadStatus, str]":
    """Select findings with the workload and node that they are about."""
    return (
        select(
            DriftFinding,
            Workload.name.label("workload"),
            Workload.status.label("state"),
            func.coalesce(Node.name, Machine.name).label("node"),
        )
        .join(Workload, Workload.id == DriftFinding.workload_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
    )


@router.get("/admin/drift")
def list_findings(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Support,
    session: SessionDep,
    place: PlaceDep,
    status: Choice = _LIVE,
    severity: Choice = "",
    kind: Choice = "",
) -> Response:
    """List findings, the newest first, the rules by which some are ignored, and how the scans go."""
    query = finding_columns()
    if status == _LIVE:
        query = query.where(DriftFinding.status != FindingStatus.RESOLVED)
    elif status:
        query = query.where(DriftFinding.status == status if status in list(FindingStatus) else false())
    if severity:
        query = query.where(DriftFinding.severity == severity if severity in list(Severity) else false())
    if kind:
        query = query.where(DriftFinding.kind == kind if kind in list(DriftKind) else false())
    return page(
        request,
        visitor,
        "drift.html",
        slice=cut(session, query, DriftFinding.id, place),
        rules=session.execute(_rules()).all(),
        scans=session.execute(_scans()).all(),
        statuses=[_LIVE, *FindingStatus],
        severities=list(Severity),
        kinds=list(DriftKind),
        chosen={"status": status, "severity": severity, "kind": kind},
    )


@router.get("/admin/drift/{finding_id}")
def show_finding(finding_id: UUID, request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show a finding with what the engine said when it looked closer."""
    found = session.execute(finding_columns().where(DriftFinding.id == finding_id)).one_or_none()
    if found is None:
        raise NotFound("there is no such finding")
    finding: DriftFinding = found.DriftFinding
    changing, _ = view(PlanStep.model_validate(step) for step in finding.steps or [])
    is_open = finding.status in {FindingStatus.OPEN, FindingStatus.IGNORED}
    return page(request, visitor, "finding.html", found=found, finding=finding, changing=changing, is_open=is_open)


@router.post("/admin/drift/{finding_id}/adopt")
def adopt(
    finding_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Want what is there; the change is previewed and approved as any other."""
    repair = _repair(runtime, transaction, visitor).adopt(finding_id, parse(DecisionForm, form).reason)
    return _scheduled(runtime, transaction, visitor, repair)


@router.post("/admin/drift/{finding_id}/revert")
def revert(
    finding_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Bring back what is wanted; the change is previewed and approved as any other."""
    entered = parse(DecisionForm, form)
    repair = _repair(runtime, transaction, visitor).revert(
        finding_id, entered.reason, accepts_data_loss=entered.accepts_data_loss
    )
    return _scheduled(runtime, transaction, visitor, repair)


@router.post("/admin/drift/{finding_id}/ignore")
def ignore(
    finding_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Live with it, for some days or for good."""
    entered = parse(IgnoreForm, form)
    until = None if entered.days is None else datetime.now(UTC) + timedelta(days=entered.days)
    repair = _repair(runtime, transaction, visitor)
    repair.ignore(finding_id, entered.reason, until, entered.path_pattern)
    return done(runtime, visitor, f"/admin/drift/{finding_id}", Flash("good", _IGNORED))


def _repair(runtime: Runtime, transaction: Transaction, visitor: Visitor) -> DriftRepair:
    lifetime = runtime.settings.operation_lifetime_seconds
    return DriftRepair(transaction.session, lifetime, visitor.principal.user_id)


def _scheduled(runtime: Runtime, transaction: Transaction, visitor: Visitor, repair: Repair) -> Response:
    to, link = f"/admin/drift/{repair.finding.id}", None
    if repair.operation is not None:
        operation_id = repair.operation.id
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, operation_id))
        link = f"/admin/operations/{operation_id}"
    return done(runtime, visitor, to, Flash("good", repair.note, link, "Follow the operation"))


def _rules() -> "Select[DriftIgnore, str, str]":
    return (
        select(DriftIgnore, Workload.name.label("workload"), User.email.label("email"))
        .outerjoin(Workload, Workload.id == DriftIgnore.workload_id)
        .join(User, User.id == DriftIgnore.created_by)
        .where((DriftIgnore.until.is_(None)) | (DriftIgnore.until > func.now()))
        .order_by(DriftIgnore.id.desc())
        .limit(_RULES)
    )


def _scans() -> Select[Any]:
    """Select each node's newest scan."""
    newest = (
        select(ScanRun)
        .where(ScanRun.node_id == Node.id)
        .order_by(ScanRun.started_at.desc())
        .limit(1)
        .correlate(Node)
        .lateral()
    )
    return select(Node.name, newest).join(newest, newest.c.node_id == Node.id).order_by(Node.name)
