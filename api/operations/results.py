"""Writes how an attempt ended, and what follows from it for workload, order, inventory and addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.inventory.models import Guest
from api.metrics.durations import Outcome, count_seconds
from api.operations.endings import Ending, Endings
from api.operations.events import LogLine, append
from api.operations.leases import Leased, Leases
from api.operations.models import Operation, OperationKind, OperationStatus
from api.operations.scheduling import lifetime, next_kind, schedule
from api.orders.fulfilment import Fulfilment, lock_order
from api.orders.release import release_reservations
from api.plans.closing import LIVE
from api.plans.models import Plan
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import lock_workload, mark_deleted, move


class EngineTrace(StrEnum):
    """What an attempt knows of the engine that is on record for the operation."""

    TIDY = "tidy"
    """It has ended and left neither a lock nor an interrupted step: there is nothing to remember."""
    UNTIDY = "untidy"
    """It has ended, and whoever comes next begins with a recovery."""
    UNKNOWN = "unknown"
    """It may still be alive."""


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How an attempt ended, in the terms of the services.

    Attributes:
        error_code: None means success.
        is_wait: the failure is no fault of the attempt, which does not count: it is made again until the deadline.
        awaits_approval: a plan is stored that a person has to agree to; the attempt does not count.
        is_cancelled: somebody asked for its end.
        was_begun: an engine may have changed something.
        phases: how long each part took, in seconds.
        is_running: what the node itself said of the guest, or the BMC of the machine, after a successful apply or
            reboot.
        technical: the engine's own words, for staff only: shortened, free of secrets, empty where there are none.
    """

    error_code: str | None = None
    error_detail: str | None = None
    retryable: bool = False
    is_wait: bool = False
    awaits_approval: bool = False
    is_cancelled: bool = False
    was_begun: bool = True
    engine: EngineTrace = EngineTrace.TIDY
    is_running: bool = False
    technical: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    pulumi_processes: int = 0
    cpu_seconds: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon a failed attempt is made again.

    Attributes:
        deadline_seconds: for operations that follow from this one.
        quarantine: how long released addresses rest.
    """

    attempts: int
    base_seconds: float
    deadline_seconds: float
    quarantine: timedelta

    def delay(self, attempt: int) -> timedelta:
        """Return the wait after the ``attempt``-th failure: doubling, at most ten minutes."""
        return timedelta(seconds=min(600.0, self.base_seconds * 2 ** (attempt - 1)))


class AttemptResults:
    """Applies the end of an attempt in one transaction; returns the operation to run next, if there is one."""

    def __init__(self, session: Session, leases: Leases, policy: RetryPolicy) -> None:
        self._session = session
        self._leases = leases
        self._policy = policy
        self._endings = Endings(session, policy.deadline_seconds)

    def apply(self, lease: Leased, end: AttemptEnd) -> Operation | None:
        """Write the result; locks run order, workload, operation, the same way round as everywhere else.

        Raises:
            LeaseLost: if the operation is somebody else's now; nothing is written.
        """
        order_id = self._session.scalars(select(Workload.order_id).where(Workload.id == lease.workload_id)).one()
        order = lock_order(self._session, order_id)
        workload = lock_workload(self._session, lease.workload_id)
        operation = self._leases.hold(lease.operation_id, lease.fence)
        self._account(operation, end)
        outcome = self._outcome(operation, end)
        count_seconds(self._session, operation.kind, outcome, end.phases)
        if end.awaits_approval:
            return self._wait_for_approval(workload, operation)
        if end.error_code is None:
            self._endings.close(operation, OperationStatus.SUCCEEDED)
            self._succeeded(lease, workload, end)
            if lease.kind is OperationKind.APPLY and not workload.desired_absent:
                Fulfilment(self._session, self._policy.deadline_seconds).delivery(order)
            return self._endings.follow_up(workload, lease.generation)
        if outcome in {Outcome.RETRIED, Outcome.WAITING}:
            return self._retry(lease, workload, operation, end)
        return self._endings.give_up(order, workload, operation, _ending(end))

    def _wait_for_approval(self, workload: Workload, operation: Operation) -> Operation | None:
        """Let go of the operation until a person has decided, or its plan expires; a newer wish voids the plan."""
        operation.attempts -= 1
        kind = next_kind(workload, operation.generation)
        if kind is not None:
            operation.status = OperationStatus.QUEUED
            self._session.flush()
            return schedule(self._session, workload, kind, self._policy.deadline_seconds)
        operation.status = OperationStatus.AWAITING_APPROVAL
        expires_at = self._session.scalars(
            select(Plan.expires_at).where(Plan.operation_id == operation.id, Plan.status.in_(LIVE))
        ).one()
        operation.deadline_at = expires_at + lifetime(workload, self._policy.deadline_seconds)
        self._session.flush()
        return None

    def _account(self, operation: Operation, end: AttemptEnd) -> None:
        if end.engine is EngineTrace.TIDY:
            operation.engine = None
        elif end.engine is EngineTrace.UNTIDY and operation.engine is not None:
            operation.engine = {**operation.engine, "ended": True}
        operation.lease_until = None
        operation.attempts -= int(end.is_wait)
        operation.changes = dict(end.changes)
        operation.pulumi_processes += end.pulumi_processes
        operation.cpu_seconds += end.cpu_seconds
        operation.error_code, operation.error_detail = end.error_code, end.error_detail

    def _outcome(self, operation: Operation, end: AttemptEnd) -> Outcome:
        if end.awaits_approval:
            return Outcome.WAITING
        if end.error_code is None:
            return Outcome.SUCCEEDED
        if end.is_cancelled:
            return Outcome.CANCELLED
        may_retry = end.retryable and operation.attempts < self._policy.attempts
        if may_retry and operation.deadline_at > self._now():
            return Outcome.WAITING if end.is_wait else Outcome.RETRIED
        return Outcome.FAILED

    def _retry(self, lease: Leased, workload: Workload, operation: Operation, end: AttemptEnd) -> Operation | None:
        """Queue the operation again; if something else is wanted by now, that is done instead, and at once."""
        operation.status = OperationStatus.QUEUED
        kind = next_kind(workload, lease.generation)
        if kind is not None:
            self._session.flush()
            return schedule(self._session, workload, kind, self._policy.deadline_seconds)
        delay = self._policy.delay(max(1, operation.attempts))
        operation.next_attempt_at = self._now() + delay
        message = f"{end.error_detail} Trying again in {delay.total_seconds():.0f} s."
        append(self._session, operation.id, lease.attempt, [LogLine("retry", message)])
        self._session.flush()
        return None

    def _succeeded(self, lease: Leased, workload: Workload, end: AttemptEnd) -> None:
        if lease.kind is OperationKind.DESTROY:
            release_reservations(self._session, workload.id, self._policy.quarantine)
            self._guest(lease, workload, is_running=False, is_absent=True)
            mark_deleted(self._session, workload, "everything was removed and its absence verified")
            return
        self._guest(lease, workload, is_running=end.is_running, is_absent=False)
        if lease.kind is OperationKind.APPLY:
            workload.applied_generation = lease.generation
            workload.outputs = dict(end.outputs)
            workload.attention = None
        if not workload.desired_absent:
            status = WorkloadStatus.RUNNING if end.is_running else WorkloadStatus.STOPPED
            move(self._session, workload, status, f"{lease.kind} verified on {lease.place.words}")

    def _guest(self, lease: Leased, workload: Workload, *, is_running: bool, is_absent: bool) -> None:
        """Write what a node said of its guest; a machine of its own is no guest, and has its own row."""
        if workload.node_id is None:
            return
        values = {
            "is_running": is_running,
            "verified_at": func.now(),
            "absent_at": func.now() if is_absent else None,
        }
        self._session.execute(
            insert(Guest)
            .values(id=uuid7(), workload_id=workload.id, node_id=workload.node_id, vmid=lease.vmid, **values)
            .on_conflict_do_update(index_elements=["workload_id"], set_=values)
        )

    def _now(self) -> datetime:
        return self._session.execute(select(func.now())).scalar_one()


def _ending(end: AttemptEnd) -> Ending:
    status = OperationStatus.CANCELLED if end.is_cancelled else OperationStatus.FAILED
    return Ending(status, end.error_code or "failed", end.error_detail or "the operation failed", end.was_begun)
