"""Drift and orphans: support sees them, an operator decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from sqlalchemy import select

from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.db.session import Transaction
from api.drift.models import DriftFinding, FindingStatus, OrphanSighting, OrphanStatus, Severity
from api.drift.orphans import Orphans
from api.drift.repair import DriftRepair, Repair
from api.drift.schemas import (
    AdoptRequest,
    FindingDetail,
    FindingView,
    IgnoreRequest,
    IgnoreView,
    OrphanView,
    RemovalView,
    RemoveRequest,
    RepairView,
    RevertRequest,
    ScanRequest,
    ScanView,
)
from api.errors import NotFound
from api.inventory.models import NODES_IN_USE, Node
from api.jobs import Job
from api.operations.schemas import OperationView
from api.pages import Page, PageDep, fetch_page
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep

router = APIRouter(prefix="/admin", tags=["drift"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Operator = Annotated[Principal, require_role(Role.OPERATOR)]


@router.get("/drift")
def list_findings(
    _viewer: Viewer,
    session: SessionDep,
    page: PageDep,
    status: Annotated[FindingStatus | None, Query(description="only findings of this status")] = None,
    severity: Annotated[Severity | None, Query(description="only findings of this severity")] = None,
    workload_id: Annotated[UUID | None, Query(description="only findings of this workload")] = None,
) -> Page[FindingView]:
    """List what scans have found, newest first."""
    query = select(DriftFinding)
    if status is not None:
        query = query.where(DriftFinding.status == status)
    if severity is not None:
        query = query.where(DriftFinding.severity == severity)
    if workload_id is not None:
        query = query.where(DriftFinding.workload_id == workload_id)
    return fetch_page(session, query, DriftFinding.id, page, FindingView.of)


@router.post("/drift/scan", status_code=status.HTTP_202_ACCEPTED)
def scan_now(body: ScanRequest, _person: Operator, runtime: RuntimeDep, transaction: TransactionDep) -> ScanView:
    """Have a worker look at a node, or at all of them, without waiting for their turn."""
    query = select(Node.id, Node.name).where(Node.state.in_(NODES_IN_USE)).order_by(Node.name)
    if body.node is not None:
        query = query.where(Node.name == body.node)
    nodes = transaction.session.execute(query).all()
    if body.node is not None and not nodes:
        raise NotFound(f"node: there is no node '{body.node}' in use")
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.SCAN_DRIFT, *(node_id for node_id, _ in nodes)))
    return ScanView(nodes=[name for _, name in nodes])


@router.get("/drift/{finding_id}")
def get_finding(finding_id: UUID, _viewer: Viewer, session: SessionDep) -> FindingDetail:
    """Return a finding with the engine's own words."""
    finding = session.get(DriftFinding, finding_id)
    if finding is None:
        raise NotFound("there is no such finding")
    return FindingDetail.of(finding)


@router.post("/drift/{finding_id}/adopt", status_code=status.HTTP_202_ACCEPTED)
def adopt_finding(
    finding_id: UUID, body: AdoptRequest, person: Operator, runtime: RuntimeDep, transaction: TransactionDep
) -> RepairView:
    """Want what is there, by an operation that is previewed and judged as any other; the price stays the order's."""
    return _answer(_repair(runtime, transaction, person).adopt(finding_id, body.reason), runtime, transaction)


@router.post("/drift/{finding_id}/revert", status_code=status.HTTP_202_ACCEPTED)
def revert_finding(
    finding_id: UUID, body: RevertRequest, person: Operator, runtime: RuntimeDep, transaction: TransactionDep
) -> RepairView:
    """Bring back what we want, by an operation that is previewed and judged as any other."""
    repair = _repair(runtime, transaction, person)
    done = repair.revert(finding_id, body.reason, accepts_data_loss=body.accepts_data_loss)
    return _answer(done, runtime, transaction)


@router.post("/drift/{finding_id}/ignore")
def ignore_finding(
    finding_id: UUID, body: IgnoreRequest, person: Operator, runtime: RuntimeDep, transaction: TransactionDep
) -> IgnoreView:
    """Live with a difference, until a moment or for good."""
    repair = _repair(runtime, transaction, person)
    return IgnoreView.of(repair.ignore(finding_id, body.reason, body.until, body.path_pattern))


@router.get("/orphans")
def list_orphans(
    _viewer: Viewer,
    session: SessionDep,
    page: PageDep,
    status: Annotated[OrphanStatus | None, Query(description="only orphans of this status")] = None,
) -> Page[OrphanView]:
    """List things of ours without their counterpart, newest first."""
    query = select(OrphanSighting)
    if status is not None:
        query = query.where(OrphanSighting.status == status)
    return fetch_page(session, query, OrphanSighting.id, page, OrphanView.of)


@router.post("/orphans/{orphan_id}/remove")
def remove_orphan(
    orphan_id: UUID, body: RemoveRequest, person: Operator, runtime: RuntimeDep, transaction: TransactionDep
) -> RemovalView:
    """Say what would be deleted; with ``confirm``, have a worker look once more and delete it."""
    orphans = Orphans(transaction.session)
    if not body.confirm:
        return RemovalView(orphan=OrphanView.of(orphans.locked(orphan_id)), is_dry_run=True)
    sighting = orphans.request_removal(orphan_id, person.user_id, body.reason)
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.REMOVE_ORPHAN, orphan_id))
    return RemovalView(orphan=OrphanView.of(sighting), is_dry_run=False)


def _repair(runtime: Runtime, transaction: Transaction, person: Principal) -> DriftRepair:
    return DriftRepair(transaction.session, runtime.settings.operation_lifetime_seconds, person.user_id)


def _answer(done: Repair, runtime: Runtime, transaction: Transaction) -> RepairView:
    operation = done.operation
    if operation is not None:
        operation_id = operation.id
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, operation_id))
        transaction.session.refresh(operation)
    shown = None if operation is None else OperationView.of(operation)
    return RepairView(finding=FindingView.of(done.finding), operation=shown, note=done.note)
