"""Brings one stack back to a backup of its state."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import OPERATOR_SHELL, AuditEntry, record
from api.db.session import Database
from api.errors import Conflict, NotFound
from api.operations.models import ACTIVE, Operation
from api.state.backups import StackBackups
from api.state.store import StateStore
from api.workloads.models import Workload
from api.workloads.service import lock_workload


def restore(database: Database, states: StateStore, stack: str, backup: str, reason: str) -> str:
    """Make a backup a stack's state; returns the key under which the former state was put aside.

    The workload stays locked meanwhile, for milliseconds, so that no operation begins on half of it.

    Raises:
        NotFound: if no workload has this stack.
        Conflict: if an operation waits or works on it, or the state is locked by an engine.
        InvalidInput: if there is no such backup.
        StateCorrupt: if the backup cannot be used itself.
    """
    with database.transaction() as transaction:
        session = transaction.session
        workload = _workload(session, stack)
        active = select(Operation.id).where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
        if session.scalars(active).first() is not None:
            raise Conflict(f"an operation waits or works on stack {stack}; let it end, or cancel it first")
        aside = StackBackups(states).restore(stack, backup)
        record(
            session,
            AuditEntry(
                action="state.restore",
                actor=OPERATOR_SHELL,
                subject_type="workload",
                subject_id=workload.id,
                reason=reason,
                diff={"backup": backup, "put_aside": aside},
            ),
        )
        return aside


def _workload(session: Session, stack: str) -> Workload:
    found = session.scalars(select(Workload.id).where(Workload.stack == stack)).one_or_none()
    if found is None:
        raise NotFound(f"no workload has the stack {stack}")
    return lock_workload(session, found)
