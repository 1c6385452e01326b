"""Ends operations early: because somebody asks for it, or because their time is over."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.audit.trail import Actor, AuditEntry, record
from api.errors import Conflict
from api.operations.cause import Cause
from api.operations.endings import Ending, Endings, has_begun
from api.operations.events import LogLine, append
from api.operations.locks import lock_operation
from api.operations.models import ACTIVE, Operation, OperationKind, OperationStatus
from api.plans.models import PlanStatus

_WAITING = (OperationStatus.QUEUED, OperationStatus.AWAITING_APPROVAL)


class OperationStopper:
    """Stops operations; the caller's transaction commits what it did."""

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        """``deadline_seconds`` is for the operations that follow."""
        self._session = session
        self._endings = Endings(session, deadline_seconds)

    def cancel(self, operation_id: UUID, cause: Cause) -> Operation | None:
        """Ask for the end of an operation; returns the operation that follows at once, if any.

        One that waits ends here and now. A running one is told: its engine finishes the step it is at, or is killed,
        and what it left half-way is recovered before anything else touches the stack.

        Raises:
            NotFound: if there is no such operation.
            Conflict: if it has ended, or is a reboot that has begun.
        """
        order, workload, operation = lock_operation(self._session, operation_id)
        if operation.status not in ACTIVE:
            raise Conflict(f"this operation is '{operation.status}': there is nothing left to cancel")
        if operation.status is OperationStatus.RUNNING and operation.kind is OperationKind.REBOOT:
            raise Conflict("a reboot that has begun cannot be cancelled")
        self._record(operation, cause)
        if operation.status is OperationStatus.RUNNING:
            operation.cancel_requested_at = self._session.execute(select(func.now())).scalar_one()
            operation.cancel_requested_by = cause.by
            self._note(operation, f"Its end was asked for: {cause.reason}. The step it is at is let finish.")
            return None
        begun = has_begun(operation)
        self._note(operation, f"Cancelled {'between two attempts' if begun else 'before it began'}: {cause.reason}.")
        ending = Ending(
            OperationStatus.CANCELLED, "cancelled", cause.reason, was_begun=begun, plan_status=PlanStatus.SUPERSEDED
        )
        return self._endings.give_up(order, workload, operation, ending)

    def overdue(self, limit: int = 100) -> list[UUID]:
        """Return waiting operations whose deadline has passed; running ones are ended by whoever takes the lease."""
        query = (
            select(Operation.id)
            .where(Operation.status.in_(_WAITING), Operation.deadline_at <= func.now())
            .order_by(Operation.id)
            .limit(limit)
        )
        return list(self._session.scalars(query))

    def give_up(self, operation_id: UUID) -> Operation | None:
        """End a waiting operation whose deadline has passed; harmless if it is at work or done by now."""
        order, workload, operation = lock_operation(self._session, operation_id)
        late = operation.deadline_at <= self._session.execute(select(func.now())).scalar_one()
        if operation.status not in _WAITING or not late:
            return None
        reason = "it did not end in the time that it had"
        self._note(operation, f"Given up: {reason}.")
        begun = has_begun(operation)
        ending = Ending(OperationStatus.FAILED, "deadline", reason, was_begun=begun, plan_status=PlanStatus.EXPIRED)
        return self._endings.give_up(order, workload, operation, ending)

    def _record(self, operation: Operation, cause: Cause) -> None:
        entry = AuditEntry(
            action="operation.cancel",
            actor=Actor.by(cause.by),
            subject_type="operation",
            subject_id=operation.id,
            reason=cause.reason,
            diff={"kind": operation.kind, "workload": operation.workload_id, "status": operation.status},
        )
        record(self._session, entry)

    def _note(self, operation: Operation, message: str) -> None:
        append(self._session, operation.id, operation.attempts, [LogLine("cancel", message)])
        self._session.flush()
