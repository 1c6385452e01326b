"""Brings one stack back to a backup of its state."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import OPERATOR_SHELL, AuditEntry, record
from api.db.session import Database
from api.errors import Conflict, NotFound
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation, OperationKind
from api.operations.scheduling import schedule
from api.state.backups import StackBackups
from api.state.store import StateStore
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import lock_workload, move
from automation.engine.contract import EngineProcess
from automation.operations.engine_attempt import EngineRecord

# The engine whose traces an older state may hold: it has ended, so its operation begins by settling what it left.
_OF_THE_PAST = EngineRecord(EngineProcess("restored", "", 0, 0), "restored", 0, "restored", ended=True)
_OVER = frozenset({WorkloadStatus.PENDING_PAYMENT, WorkloadStatus.DELETED})


def restore(  # noqa: PLR0913 - an operator's repair: where, what, why
    database: Database, states: StateStore, stack: str, backup: str, *, reason: str, deadline_seconds: float
) -> str:
    """Make a backup a stack's state; returns the key under which the former state was put aside.

    The backup may know less than there is. So what is wanted of the workload is scheduled anew, with a look at what is
    really there first: it is previewed, judged and approved as any other change. The workload stays locked meanwhile,
    for milliseconds, so that no operation begins on half of it.

    Args:
        database: the application's.
        states: the engine's.
        stack: its name.
        backup: one of the names that ``StackBackups.list`` returns.
        reason: why, for the audit trail.
        deadline_seconds: how long the operation that follows may take.

    Raises:
        NotFound: if no workload has this stack.
        Conflict: if an operation waits or works on it, or the state is locked by an engine.
        InvalidInput: if there is no such backup.
        StateCorrupt: if the backup cannot be used itself.
    """
    with database.transaction() as transaction:
        session = transaction.session
        workload = _at_rest(session, stack)
        aside = StackBackups(states).restore(stack, backup)
        _note(session, "state.restore", workload, reason, backup=backup, put_aside=aside)
        _plan_anew(session, workload, f"its state was brought back from a backup: {reason}", deadline_seconds)
        return aside


def replan(  # noqa: PLR0913 - an operator's repair: where, what, why
    database: Database,
    states: StateStore,
    stack: str,
    *,
    reason: str,
    deadline_seconds: float,
    holder_is_dead: bool = False,
) -> None:
    """Schedule what is wanted of a workload anew, with a look at what is really there first.

    For a workload whose state is missing, too: what it has is found by the names that were given to it. Interrupted
    steps and locks that came with an older state are settled before that, as after a crash.

    Args:
        database: the application's.
        states: the engine's.
        stack: its name.
        reason: why, for the audit trail.
        deadline_seconds: how long the operation may take.
        holder_is_dead: somebody has made sure that the process which holds the state's lock is no more.

    Raises:
        NotFound: if no workload has this stack.
        Conflict: if an operation waits or works on it, the workload is not paid for or deleted, or an engine that the
            application does not know of holds the state's lock.
    """
    with database.transaction() as transaction:
        session = transaction.session
        workload = _at_rest(session, stack)
        if workload.status in _OVER:
            raise Conflict(f"nothing is wanted of a workload that is '{workload.status}'")
        for lock in () if holder_is_dead else states.locks(stack):
            raise Conflict(
                f"stack {stack} is locked by process {lock.pid} of {lock.host}; make sure that it is dead, then say so "
                "with --holder-is-dead"
            )
        _plan_anew(session, workload, reason, deadline_seconds)


def forget(database: Database, states: StateStore, stack: str, *, reason: str) -> str:
    """Take the stack of a deleted workload out of the state; returns the key under which its state is kept.

    An older state that was brought back may know it still; its node said that the guest was gone when the workload was
    deleted, so nothing is left outside.

    Raises:
        NotFound: if no workload has this stack.
        Conflict: if the workload is not deleted, or the state is locked by an engine.
        InvalidInput: if the state knows no such stack.
    """
    with database.transaction() as transaction:
        session = transaction.session
        workload = _at_rest(session, stack)
        if workload.status is not WorkloadStatus.DELETED:
            raise Conflict(f"a workload that is '{workload.status}' needs its state; cancel it instead")
        aside = StackBackups(states).set_aside(stack)
        _note(session, "state.forget", workload, reason, put_aside=aside)
        return aside


def _plan_anew(session: Session, workload: Workload, reason: str, deadline_seconds: float) -> None:
    if workload.status in _OVER:
        return
    consent = workload.desired_absent and Cause.of(workload.desired_cause).has_consent
    workload.generation += 1
    if workload.desired_absent and workload.status is WorkloadStatus.NEEDS_ATTENTION:
        move(session, workload, WorkloadStatus.CANCELLING, reason)
    kind = OperationKind.DESTROY if workload.desired_absent else OperationKind.APPLY
    cause = Cause(reason, has_consent=consent, refreshes=True)
    operation = schedule(session, workload, kind, deadline_seconds, cause)
    if operation.engine is None:
        operation.engine = _OF_THE_PAST.document()


def _note(session: Session, action: str, workload: Workload, reason: str, **diff: str) -> None:
    entry = AuditEntry(
        action=action,
        actor=OPERATOR_SHELL,
        subject_type="workload",
        subject_id=workload.id,
        reason=reason,
        diff=diff,
    )
    record(session, entry)


def _at_rest(session: Session, stack: str) -> Workload:
    """Return the workload of a stack, locked, once it is sure that no operation waits or works on it."""
    found = session.scalars(select(Workload.id).where(Workload.stack == stack)).one_or_none()
    if found is None:
        raise NotFound(f"no workload has the stack {stack}")
    workload = lock_workload(session, found)
    active = select(Operation.id).where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
    if session.scalars(active).first() is not None:
        raise Conflict(f"an operation waits or works on stack {stack}; let it end, or cancel it first")
    return workload
