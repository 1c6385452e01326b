"""Makes operations: one active operation a workload, always for the newest generation."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.operations.models import ACTIVE, Operation, OperationKind, OperationStatus
from api.workloads.models import Workload


def schedule(session: Session, workload: Workload, kind: OperationKind, deadline_seconds: float) -> Operation:
    """Return the operation that will bring a locked workload to its present desired state.

    A queued operation is brought up to date in place, with all its attempts before it. A running one is left alone
    and returned: when it ends, its worker sees the newer generation and schedules the next one (``next_kind``).
    """
    active = session.scalars(
        select(Operation)
        .where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if active is not None and active.status is OperationStatus.RUNNING:
        return active
    deadline = session.execute(select(func.now() + timedelta(seconds=deadline_seconds))).scalar_one()
    if active is not None:
        active.kind, active.generation, active.desired = kind, workload.generation, workload.desired
        active.next_attempt_at = session.execute(select(func.now())).scalar_one()
        active.attempts, active.deadline_at = 0, deadline
        session.flush()
        return active
    operation = Operation(
        id=uuid7(),
        workload_id=workload.id,
        kind=kind,
        status=OperationStatus.QUEUED,
        generation=workload.generation,
        desired=workload.desired,
        deadline_at=deadline,
        engine=_untidy_engine(session, workload),
    )
    session.add(operation)
    session.flush()
    return operation


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
