"""What follows for workload and order when an operation ends without having done what it was for.

Shared by attempts that failed for good, cancellations, rejected or expired plans, and deadlines. All rows are locked
by the caller: order, workload, operation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, record
from api.inventory.models import Guest
from api.machines.stranding import strand
from api.metrics.durations import count_seconds
from api.operations.cause import Cause
from api.operations.models import Operation, OperationKind, OperationStatus
from api.operations.scheduling import next_kind, schedule
from api.orders.fulfilment import Fulfilment
from api.orders.models import Order, OrderStatus
from api.plans.closing import close_plans
from api.plans.models import Plan, PlanStatus
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import move

_PAID_BACK = (OrderStatus.REFUND_DUE, OrderStatus.REFUNDED)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why an operation ends.

    Attributes:
        was_begun: an engine may have changed something.
    """

    status: OperationStatus
    code: str
    reason: str
    was_begun: bool
    plan_status: PlanStatus = PlanStatus.SUPERSEDED


class Endings:
    """Ends operations; each call belongs in the caller's transaction."""

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        """``deadline_seconds`` is for the operations that follow."""
        self._session = session
        self._deadline_seconds = deadline_seconds

    def close(self, operation: Operation, status: OperationStatus) -> None:
        """Write that an operation has ended, and record what it changed and cost."""
        found = self._plan_and_now(operation)
        operation.status, operation.lease_until, operation.finished_at = status, None, found.now
        self._session.flush()
        begun = operation.started_at
        self._count(operation, found.now)
        record(
            self._session,
            AuditEntry(
                action="operation.end",
                actor=SYSTEM,
                subject_type="operation",
                subject_id=operation.id,
                reason=operation.error_detail or operation.reason,
                plan_id=found.id,
                diff={"kind": operation.kind, "workload": operation.workload_id, "changes": operation.changes},
                cost_before_cents=found.price_before_cents,
                cost_after_cents=found.price_after_cents,
                duration_seconds=None if begun is None else (found.now - begun).total_seconds(),
                result=status.value,
            ),
        )

    def _count(self, operation: Operation, now: datetime) -> None:
        """Count how long the operation waited for its first worker, and how long it took in all."""
        phases = {"total": (now - operation.created_at).total_seconds()}
        if operation.started_at is not None:
            phases["wait"] = (operation.started_at - operation.created_at).total_seconds()
        count_seconds(self._session, operation.kind, operation.status, phases)

    def _plan_and_now(self, operation: Operation) -> Any:
        """Return the time, and an operation's newest plan if it has one, in one statement."""
        newest = select(Plan.id).where(Plan.operation_id == operation.id).order_by(Plan.id.desc()).limit(1)
        query = (
            select(func.now().label("now"), Plan.id, Plan.price_before_cents, Plan.price_after_cents)
            .select_from(Operation)
            .outerjoin(Plan, Plan.id == newest.scalar_subquery())
            .where(Operation.id == operation.id)
        )
        with self._session.no_autoflush:  # what the caller has changed is written together with the end
            return self._session.execute(query).one()

    def give_up(self, order: Order, workload: Workload, operation: Operation, ending: Ending) -> Operation | None:
        """End an operation that cannot go on, and put things right; returns the operation that follows, if any.

        What was never delivered is paid back and taken away. What else is wanted by now is done instead. A change
        that nothing has begun is withdrawn. What is half-way needs a person; a machine whose workload could not be
        removed is in quarantine from then on.
        """
        operation.error_code, operation.error_detail = ending.code, ending.reason
        close_plans(self._session, operation.id, ending.plan_status, ending.reason)
        self.close(operation, ending.status)
        if operation.kind is OperationKind.REBOOT:
            return self.follow_up(workload, operation.generation)
        if operation.kind is OperationKind.APPLY and order.status is OrderStatus.PAID and not workload.desired_absent:
            return Fulfilment(self._session, self._deadline_seconds).failure(order, ending.reason)
        following = self.follow_up(workload, operation.generation)
        if following is not None:
            return following
        may_withdraw = not ending.was_begun and ending.status is OperationStatus.CANCELLED
        # Whoever has the money back has no claim to the workload any more: its removal is never taken back.
        if may_withdraw and order.status not in _PAID_BACK and self._withdraw(workload, ending):
            return None
        move(self._session, workload, WorkloadStatus.NEEDS_ATTENTION, ending.reason)
        workload.attention = f"{ending.code}: {ending.reason}"
        if operation.kind is OperationKind.DESTROY and ending.status is OperationStatus.FAILED:
            strand(self._session, workload, ending.reason)
        return None

    def follow_up(self, workload: Workload, ended_generation: int) -> Operation | None:
        """Schedule what is still to be done once an operation for ``ended_generation`` has ended."""
        kind = next_kind(workload, ended_generation)
        if kind is None or workload.status is WorkloadStatus.DELETED:
            return None
        return schedule(self._session, workload, kind, self._deadline_seconds)

    def _withdraw(self, workload: Workload, ending: Ending) -> bool:
        """Want again what is there; False if nothing was ever applied, or a person is looking at it already."""
        applied = self._session.scalars(
            select(Operation.desired)
            .where(
                Operation.workload_id == workload.id,
                Operation.kind == OperationKind.APPLY,
                Operation.status == OperationStatus.SUCCEEDED,
            )
            .order_by(Operation.id.desc())
            .limit(1)
        ).one_or_none()
        if applied is None or workload.status is WorkloadStatus.NEEDS_ATTENTION:
            return False
        workload.desired, workload.desired_absent = applied, False
        workload.desired_cause = Cause(ending.reason).document()
        workload.generation += 1
        workload.applied_generation = workload.generation
        runs = self._session.scalars(select(Guest.is_running).where(Guest.workload_id == workload.id)).one_or_none()
        if workload.machine_id is not None:  # no guest: what was verified last is what was applied
            runs = bool(applied["started"])
        status = WorkloadStatus.RUNNING if runs else WorkloadStatus.STOPPED
        move(self._session, workload, status, f"the change was withdrawn: {ending.reason}")
        return True


def has_begun(operation: Operation) -> bool:
    """Tell of an operation that waits whether an engine may have changed something for it, in an earlier attempt."""
    return operation.engine is not None or operation.attempts > 0
