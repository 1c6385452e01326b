"""Writes how an attempt at a platform run ended, and ends runs."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, record
from api.metrics.durations import Outcome, count_seconds
from api.operations.events import LogLine, append_to
from api.operations.results import AttemptEnd, EngineTrace, RetryPolicy
from api.plans.closing import LIVE
from api.plans.models import PlanStatus
from api.platform.leases import LeasedRun, RunWrites
from api.platform.models import PlatformPlan, PlatformRun, PlatformRunEvent, RunStatus
from api.platform.plans import close_plans

_WAIT = timedelta(seconds=30)
"""How soon it is looked again whether whoever holds the stack's lock has let go of it."""


class RunResults:
    """Applies the end of an attempt in one transaction."""

    def __init__(self, session: Session, writes: RunWrites, policy: RetryPolicy) -> None:
        self._session = session
        self._writes = writes
        self._policy = policy

    def apply(self, lease: LeasedRun, end: AttemptEnd, attention: str | None = None) -> None:
        """Write the result.

        Args:
            lease: the attempt's.
            end: how it ended.
            attention: what a person has to resolve, with the commands for it.

        Raises:
            LeaseLost: if the run is somebody else's now; nothing is written.
        """
        run = self._writes.hold()
        _account(run, end)
        now = _now(self._session)
        outcome = self._outcome(run, end, now)
        count_seconds(self._session, _kind(run), outcome, end.phases)
        match outcome:
            case Outcome.WAITING if end.awaits_approval:
                self._wait_for_approval(run)
            case Outcome.WAITING:
                run.status, run.waits_for, run.next_attempt_at = RunStatus.QUEUED, end.error_detail, now + _WAIT
            case Outcome.RETRIED:
                self._retry(lease, run, end, now)
            case Outcome.SUCCEEDED | Outcome.CANCELLED:
                close_run(self._session, run, RunStatus(outcome))
            case Outcome.FAILED:
                run.attention = attention
                close_run(self._session, run, RunStatus.FAILED)
        self._session.flush()

    def _outcome(self, run: PlatformRun, end: AttemptEnd, now: datetime) -> Outcome:
        if end.awaits_approval:
            return Outcome.WAITING
        if end.error_code is None:
            return Outcome.SUCCEEDED
        if end.is_cancelled:
            return Outcome.CANCELLED
        if end.is_wait and run.deadline_at > now:
            return Outcome.WAITING
        may_retry = end.retryable and run.attempts < self._policy.attempts and run.deadline_at > now
        return Outcome.RETRIED if may_retry else Outcome.FAILED

    def _wait_for_approval(self, run: PlatformRun) -> None:
        """Let go of the run until an administrator has decided, or its plan expires."""
        run.attempts -= 1
        run.status = RunStatus.AWAITING_APPROVAL
        expires_at = self._session.scalars(
            select(PlatformPlan.expires_at).where(PlatformPlan.run_id == run.id, PlatformPlan.status.in_(LIVE))
        ).one()
        run.deadline_at = expires_at + timedelta(seconds=self._policy.deadline_seconds)

    def _retry(self, lease: LeasedRun, run: PlatformRun, end: AttemptEnd, now: datetime) -> None:
        delay = self._policy.delay(max(1, run.attempts))
        run.status, run.next_attempt_at = RunStatus.QUEUED, now + delay
        message = f"{end.error_detail} Trying again in {delay.total_seconds():.0f} s."
        note(self._session, run, LogLine("retry", message), lease.attempt)


def close_run(
    session: Session,
    run: PlatformRun,
    status: RunStatus,
    plan_status: PlanStatus = PlanStatus.SUPERSEDED,
) -> None:
    """Write that a run has ended, close its live plan, and record what it changed."""
    now = _now(session)
    run.status, run.lease_until, run.waits_for, run.finished_at = status, None, None, now
    session.flush()
    close_plans(session, run, plan_status, run.error_detail or "the run has ended")
    _count(session, run, status, now)
    record(
        session,
        AuditEntry(
            action="platform_run.end",
            actor=SYSTEM,
            subject_type="platform_run",
            subject_id=run.id,
            reason=run.error_detail or run.reason,
            diff={"stack": run.stack, "action": run.action, "changes": run.changes, "error": run.error_code},
            duration_seconds=None if run.started_at is None else (now - run.started_at).total_seconds(),
            result=status.value,
        ),
    )


def note(session: Session, run: PlatformRun, line: LogLine, attempt: int | None = None) -> None:
    """Add a line of our own to a run's log."""
    append_to(session, PlatformRunEvent.run_id, run.id, run.attempts if attempt is None else attempt, [line])


def _count(session: Session, run: PlatformRun, status: RunStatus, now: datetime) -> None:
    """Count how long the run waited for its first worker, and how long it took in all, people included.

    A plan that was rejected, or that nobody decided on, is a run that was cancelled.
    """
    phases = {"total": (now - run.created_at).total_seconds()}
    if run.started_at is not None:
        phases["wait"] = (run.started_at - run.created_at).total_seconds()
    outcome = Outcome.CANCELLED if status in {RunStatus.REJECTED, RunStatus.EXPIRED} else Outcome(status)
    count_seconds(session, _kind(run), outcome, phases)


def _kind(run: PlatformRun) -> str:
    """Return what a run is called among operations."""
    return f"platform_{run.action}"


def _account(run: PlatformRun, end: AttemptEnd) -> None:
    if end.engine is EngineTrace.TIDY:
        run.engine = None
    elif end.engine is EngineTrace.UNTIDY and run.engine is not None:
        run.engine = {**run.engine, "ended": True}
    run.lease_until = None
    run.attempts -= int(end.is_wait)
    run.changes = dict(end.changes)
    run.pulumi_processes += end.pulumi_processes
    run.cpu_seconds += end.cpu_seconds
    run.error_code, run.error_detail = end.error_code, end.error_detail


def _now(session: Session) -> datetime:
    return session.execute(select(func.now())).scalar_one()
