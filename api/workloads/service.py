"""Changes of a workload: every verb changes what is wanted, and an operation makes it so."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.audit.trail import Actor, AuditEntry, changed, differences, record
from api.errors import Conflict, NotFound
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation, OperationKind
from api.operations.scheduling import schedule
from api.workloads.models import StatusChange, Workload, WorkloadStatus
from api.workloads.transitions import check_move

_POWERED = (WorkloadStatus.RUNNING, WorkloadStatus.STOPPED)
_SYSTEM = Cause()
_GOING = (WorkloadStatus.CANCELLING, WorkloadStatus.DELETED)


def lock_workload(session: Session, workload_id: UUID) -> Workload:
    """Return a workload, locked until the transaction ends.

    Raises:
        NotFound: if there is none.
    """
    workload = session.scalars(
        select(Workload).where(Workload.id == workload_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if workload is None:
        raise NotFound("there is no such workload")
    return workload


def move(session: Session, workload: Workload, status: WorkloadStatus, reason: str, by: UUID | None = None) -> None:
    """Move a workload to another status; write its history and the audit trail, and alert staff to what needs them.

    Args:
        session: the caller's.
        workload: locked.
        status: the one that it gets.
        reason: a sentence that its owner may read.
        by: the account of whoever wants that; None is the control plane itself.

    Raises:
        IllegalTransition: if its life has no such move.
    """
    if status is WorkloadStatus.NEEDS_ATTENTION:
        raise_alert(session, AlertKind.NEEDS_ATTENTION, "workload", workload.id, reason)
    if workload.status is status:
        return
    check_move(workload.status, status)
    if workload.status is WorkloadStatus.NEEDS_ATTENTION:
        resolve(session, AlertKind.NEEDS_ATTENTION, workload.id)
    record_status(session, workload, status, reason, by)


def record_status(
    session: Session, workload: Workload, status: WorkloadStatus, reason: str, by: UUID | None = None
) -> None:
    """Write a status, its line of history and its audit record; ``move`` is the checked way."""
    before = workload.status if workload in session and workload.status is not status else None
    workload.status = status
    session.add(StatusChange(id=uuid7(), workload_id=workload.id, from_status=before, to_status=status, reason=reason))
    session.flush()
    record(
        session,
        AuditEntry(
            action="workload.status",
            actor=Actor.by(by),
            subject_type="workload",
            subject_id=workload.id,
            reason=reason,
            diff=changed(status=(before, status)),
        ),
    )


class WorkloadService:
    """The customer's verbs on one workload, which the caller has locked with ``lock_workload``."""

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        self._session = session
        self._deadline_seconds = deadline_seconds

    def set_power(self, workload: Workload, *, started: bool, cause: Cause = _SYSTEM) -> Operation | None:
        """Want a workload started or stopped; returns the operation, or None if it is so already.

        Raises:
            Conflict: if the workload is neither running nor stopped; of a machine, also while another operation is
                under way, whose consent must not cover more than was asked for, or the rescue system runs.
        """
        if workload.desired_absent or workload.status not in (*_POWERED, WorkloadStatus.UPDATING):
            raise Conflict(f"a workload that is '{workload.status}' cannot be started or stopped")
        if workload.desired["started"] is started:
            return active_operation(self._session, workload)
        _refuse_in_rescue(workload)
        if workload.machine_id is not None and active_operation(self._session, workload) is not None:
            raise Conflict("another operation on this machine is under way; wait until it has ended")
        change_desired(self._session, workload, {"started": started}, cause)
        return self._schedule(workload, OperationKind.APPLY, cause)

    def reboot(self, workload: Workload, cause: Cause = _SYSTEM) -> Operation:
        """Restart a running workload.

        Raises:
            Conflict: if it is not running, or another operation is under way; of a machine, also while it runs the
                rescue system.
        """
        if workload.status is not WorkloadStatus.RUNNING:
            raise Conflict(f"a workload that is '{workload.status}' cannot be rebooted")
        _refuse_in_rescue(workload)
        if active_operation(self._session, workload) is not None:
            raise Conflict("another operation on this workload is under way; wait until it has ended")
        return self._schedule(workload, OperationKind.REBOOT, cause)

    def cancel(self, workload: Workload, cause: Cause) -> Operation | None:
        """Want a workload and everything it holds gone; repeating it is harmless.

        Without the owner's consent in ``cause`` its plan needs an approval, where there is anything to lose.

        A running operation is left to end first: what it makes is then taken away by the destroy that follows.
        """
        if workload.status in _GOING:
            return active_operation(self._session, workload)
        if workload.status is WorkloadStatus.PENDING_PAYMENT:
            raise Conflict("this workload is not paid for; let its payment page expire, and it is gone")
        workload.desired_absent = True
        workload.generation += 1
        move(self._session, workload, WorkloadStatus.CANCELLING, cause.reason, cause.by)
        return self._schedule(workload, OperationKind.DESTROY, cause)

    def _schedule(self, workload: Workload, kind: OperationKind, cause: Cause) -> Operation:
        return schedule(self._session, workload, kind, self._deadline_seconds, cause)


def _refuse_in_rescue(workload: Workload) -> None:
    if workload.desired.get("rescue"):
        raise Conflict("this machine runs the rescue system: have it boot its own system first")


def change_desired(session: Session, workload: Workload, fields: Mapping[str, Any], cause: Cause) -> None:
    """Change what is wanted of a locked workload, and record who wants it; an operation has to follow."""
    before = workload.desired
    workload.desired = {**before, **fields}
    workload.generation += 1
    session.flush()
    record(
        session,
        AuditEntry(
            action="workload.change",
            actor=Actor.by(cause.by),
            subject_type="workload",
            subject_id=workload.id,
            reason=cause.reason,
            diff=differences(before, workload.desired),
        ),
    )


def active_operation(session: Session, workload: Workload) -> Operation | None:
    """Return the operation on a workload that waits or works, if there is one."""
    query = select(Operation).where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
    return session.scalars(query).one_or_none()


def mark_deleted(session: Session, workload: Workload, reason: str) -> None:
    """Close a workload's life; its reservations are released by the caller."""
    move(session, workload, WorkloadStatus.DELETED, reason)
    workload.deleted_at = session.execute(select(func.now())).scalar_one()
