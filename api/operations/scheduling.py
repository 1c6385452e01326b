"""Makes operations: one active operation a workload, always for the newest generation."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, record
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation, OperationKind, OperationStatus
from api.plans.closing import supersede_plans
from api.tracing import traceparent
from api.workloads.models import Workload

MACHINE_LIFETIME = timedelta(hours=24)
"""Overwriting large disks takes hours, and may have to be done again; an installation ends by its own deadlines."""


def schedule(
    session: Session, workload: Workload, kind: OperationKind, deadline_seconds: float, cause: Cause | None = None
) -> Operation:
    """Return the operation that will bring a locked workload to its present desired state.

    One that has not begun is brought up to date in place, with all its attempts before it: whatever was planned or
    approved for it is void. A running one is left alone and returned: when it ends, its worker sees the newer
    generation and schedules the next one (``next_kind``), for the same ``cause``.
    """
    if cause is not None:
        workload.desired_cause = cause.document()
    wanted = Cause.of(workload.desired_cause)
    active = session.scalars(
        select(Operation)
        .where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if active is not None and active.status is OperationStatus.RUNNING:
        return active
    deadline = session.execute(select(func.now() + lifetime(workload, deadline_seconds))).scalar_one()
    if active is None:
        active = Operation(id=uuid7(), workload_id=workload.id, engine=_untidy_engine(session, workload))
        session.add(active)
    else:
        active.next_attempt_at = session.execute(select(func.now())).scalar_one()
        supersede_plans(session, active.id, "something else is wanted by now")
    active.kind, active.generation, active.desired = kind, workload.generation, workload.desired
    active.status, active.attempts, active.deadline_at = OperationStatus.QUEUED, 0, deadline
    active.requested_by, active.reason = wanted.by, wanted.reason
    active.has_consent, active.refreshes = wanted.has_consent, wanted.refreshes
    active.traceparent = traceparent()
    active.cancel_requested_at = active.cancel_requested_by = None
    session.flush()
    record(
        session,
        AuditEntry(
            action="operation.schedule",
            actor=Actor.by(wanted.by),
            subject_type="operation",
            subject_id=active.id,
            reason=wanted.reason,
            diff={"kind": kind, "generation": workload.generation, "workload": workload.id},
        ),
    )
    return active


def lifetime(workload: Workload, deadline_seconds: float) -> timedelta:
    """Return how long an operation may take in all its attempts: ``deadline_seconds``, of a machine much longer."""
    usual = timedelta(seconds=deadline_seconds)
    return usual if workload.machine_id is None else max(usual, MACHINE_LIFETIME)


def next_kind(workload: Workload, ended_generation: int) -> OperationKind | None:
    """Return what is still to be done once an operation for ``ended_generation`` has ended, if anything."""
    if workload.generation <= ended_generation:
        return None
    return OperationKind.DESTROY if workload.desired_absent else OperationKind.APPLY


def _untidy_engine(session: Session, workload: Workload) -> dict[str, Any] | None:
    """Return the engine that the workload's last operation left alive or half-way: the next one deals with it."""
    return session.scalars(
        select(Operation.engine).where(Operation.workload_id == workload.id).order_by(Operation.id.desc()).limit(1)
    ).one_or_none()
