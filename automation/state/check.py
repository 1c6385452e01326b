"""Holds the state database against the application's: what neither an engine nor a worker would leave.

The two databases are read one after the other, and operations go on meanwhile. So a finding counts only where the
application says the same of its stack before and after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from api.db.session import Database
from api.operations.models import ACTIVE, Operation
from api.quotes.models import QUOTES_STACK
from api.state.errors import StateCorrupt
from api.state.integrity import faults
from api.state.store import StackLock, StateStore
from api.workloads.models import Workload, WorkloadStatus
from components.specs.platform import parse_platform_stack


class Violation(NamedTuple):
    """Something that must not be.

    Attributes:
        stack: its name; empty where the whole database is meant.
        what: a sentence without its subject.
    """

    stack: str
    what: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What the application knows of a stack.

    Attributes:
        newest: its newest operation.
        since: when the oldest operation was asked for that may have an engine at work, or whose engine has left the
            stack untidy; None if the stack is at rest.
    """

    is_deleted: bool
    was_applied: bool
    newest: UUID | None
    since: datetime | None


def check(database: Database, states: StateStore) -> list[Violation]:
    """Return all violations, by stack; an empty list if state and application agree.

    Every checkpoint can be read and hangs together; a stack at rest has no pending operation and no lock, and no lock
    is older than the operation it can belong to; every delivered workload has its stack, and every stack a workload.
    Reads everything: 1 to 2 ms a stack.

    Raises:
        StateUnavailable: if the state database does not answer.
    """
    before = _known(database)
    found = [*_strangers(states), *_checkpoints(before, states), *_locks(before, states.locks())]
    after = _known(database) if found else {}
    return sorted({violation for violation in found if before.get(violation.stack) == after.get(violation.stack)})


def _strangers(states: StateStore) -> Iterator[Violation]:
    for key in states.table.strangers():
        yield Violation("", f"the row {key} belongs to a state database of another name")


def _checkpoints(known: Mapping[str, _Known], states: StateStore) -> Iterator[Violation]:
    seen = set()
    for stack, deployment in states.deployments():
        seen.add(stack)
        if isinstance(deployment, StateCorrupt):
            yield Violation(stack, deployment.detail)
            continue
        for fault in faults(deployment):
            yield Violation(stack, fault)
        yield from _at_rest(stack, known.get(stack), deployment)
    for stack, workload in known.items():
        if stack not in seen and workload.was_applied and workload.since is None and not workload.is_deleted:
            yield Violation(stack, "it was delivered, but its state is missing")


def _at_rest(stack: str, workload: _Known | None, deployment: Mapping[str, Any]) -> Iterator[Violation]:
    if stack == QUOTES_STACK:
        if deployment.get("resources") or deployment.get("pending_operations"):
            yield Violation(stack, "quotes are previewed on this stack: it must be empty")
    elif workload is None and parse_platform_stack(stack) is not None:
        return  # the provider's own: brought up and down by people
    elif workload is None:
        yield Violation(stack, "no workload has this stack")
    elif workload.since is None:
        for operation in deployment.get("pending_operations") or []:
            yield Violation(stack, f"at rest, yet {operation['type']} {operation['resource']['urn']} is pending")
        if workload.is_deleted:
            count = len(deployment.get("resources") or [])
            yield Violation(stack, f"its workload is deleted, but the state holds {count} resources")


def _locks(known: Mapping[str, _Known], locks: list[StackLock]) -> Iterator[Violation]:
    for lock in locks:
        if parse_platform_stack(lock.stack) is not None:
            continue
        workload = known.get(lock.stack)
        holder = f"process {lock.pid} of {lock.host or 'an unknown host'} since {lock.at:%Y-%m-%d %H:%M:%S} UTC"
        if workload is None or workload.since is None:
            yield Violation(lock.stack, f"at rest, yet locked by {holder}")
        elif lock.at < workload.since:
            yield Violation(lock.stack, f"locked by {holder}, before any operation that could hold it was asked for")


def _known(database: Database) -> dict[str, _Known]:
    mine = Operation.workload_id == Workload.id
    newest = select(Operation.id).where(mine).order_by(Operation.id.desc()).limit(1).scalar_subquery()
    # An operation inherits the engine that the one before it left untidy, and passes it on.
    is_tidy = Operation.status.not_in(ACTIVE) & Operation.engine.is_(None)
    # Said aloud: two levels down, SQLAlchemy would take the newest tidy operation of all workloads.
    tidied = (
        select(Operation.id).where(mine, is_tidy).order_by(Operation.id.desc()).limit(1).correlate(Workload)
    ).scalar_subquery()
    later = aliased(Operation)
    since = (
        select(func.min(later.created_at))
        .where(later.workload_id == Workload.id, tidied.is_(None) | (later.id > tidied))
        .scalar_subquery()
    )
    with database.transaction() as transaction:
        rows = transaction.session.execute(
            select(Workload.stack, Workload.status, Workload.applied_generation, newest, since)
        )
        return {
            stack: _Known(status is WorkloadStatus.DELETED, applied > 0, last, oldest)
            for stack, status, applied, last, oldest in rows
        }
