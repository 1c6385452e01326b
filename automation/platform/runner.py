"""Carries out one platform run: lease, engine, result. No database session is open while the engine works."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from api.db.session import Database
from api.errors import LeaseLost
from api.operations.events import LogLine
from api.operations.results import AttemptEnd, EngineTrace, RetryPolicy
from api.platform.leases import LeasedRun, RunLeases, RunWrites
from api.platform.models import RunAction
from api.platform.results import RunResults
from api.settings import WorkerSettings
from api.state.errors import StateCorrupt, StateUnavailable
from api.tracing import span
from automation.engine.contract import Engine, EngineAction, EngineJob, EngineSecrets, EngineUnavailable
from automation.operations.engine_attempt import EngineAttempt, EngineRecord, Errand
from automation.operations.fencing import FencedHosts
from automation.operations.heartbeat import Heartbeat
from automation.operations.journal import FencedJournal
from automation.operations.phases import Phases
from automation.platform.environment import PlatformEnvironmentError, read_secrets
from automation.platform.locks import StackLocked, StackLocks
from automation.platform.planning import RunPlanner
from automation.platform.provider_settings import provider_settings
from automation.platform.words import attention_of, for_staff

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlatformRunner:
    """Carries out platform runs for one worker process, named ``owner`` in the lease.

    Attributes:
        clock: monotonic, in seconds. It only tells this worker when to doubt its lease; who has one is for the
            database's clock to say.
    """

    database: Database
    engine: Engine
    settings: WorkerSettings
    policy: RetryPolicy
    plans: RunPlanner
    locks: StackLocks
    fences: FencedHosts
    owner: str
    clock: Callable[[], float] = time.monotonic

    def run(self, run_id: UUID) -> bool:
        """Carry the run out if it is due and free; returns whether it was ours. Blocks until it has ended.

        A host that was declared dead, and lives, carries nothing out before it is restarted.
        """
        asked_at = self.clock()
        if self.fences.is_here():
            _LOG.error("host_fenced", owner=self.owner)
            return False
        with self.database.transaction() as transaction:
            lease = RunLeases(transaction.session, self.owner, self.settings.lease_seconds).acquire(run_id)
        if lease is None:
            return False
        with (
            bound_contextvars(platform_run=str(run_id), stack=lease.stack),
            span(f"platform_run.{lease.action}", _attributes(lease)),
        ):
            self._carry_out(lease, asked_at)
        return True

    def _carry_out(self, lease: LeasedRun, asked_at: float) -> None:
        """Make one attempt and write its end, unless the lease is lost over it."""
        log = _LOG.bind(fence=lease.fence, attempt=lease.attempt)
        try:
            end = for_staff(self._given_up(lease) or self._work(lease, asked_at))
            self._finish(lease, end)
        except LeaseLost:
            log.warning("lease_lost")
            return
        log.info("attempt_ended", action=lease.action, error=end.error_code)

    def _given_up(self, lease: LeasedRun) -> AttemptEnd | None:
        """End a run whose time is over, or whose workers all died over it, before it takes another one down."""
        if lease.is_overdue:
            code, message = "deadline", "It did not end in the time that it had."
        elif lease.attempt > self.policy.attempts:
            code, message = "attempts_exhausted", f"It was cut off {self.policy.attempts} times before it could end."
        else:
            return None
        if lease.previous_engine is not None and not (record := EngineRecord.of(lease.previous_engine)).ended:
            self.engine.terminate(record.process)
        return AttemptEnd(error_code=code, error_detail=message, engine=EngineTrace.UNKNOWN)

    def _work(self, lease: LeasedRun, asked_at: float) -> AttemptEnd:
        journal = FencedJournal(self.database, self._writes(lease))
        phases = Phases(self.clock)
        with Heartbeat(journal.renew, self.settings.lease_seconds, asked_at, self.clock) as heartbeat:
            try:
                journal.begin()
                errand = Errand(
                    goal=f"{lease.action} {lease.run_id}",
                    previous_engine=lease.previous_engine,
                    may_unlock=lambda: self.locks.check(lease.stack, lease.previous_engine),
                )
                attempt = EngineAttempt(self.engine, self.fences, errand, journal, heartbeat)
                return replace(attempt.cost(self._attempt(lease, attempt, phases)), phases=phases.seconds)
            except LeaseLost:
                raise
            except Exception:  # noqa: BLE001 - without an end the attempt would be made again and again, at once
                _LOG.exception("attempt_failed")
                message = "Something went wrong on our side; the worker's log says what."
                return AttemptEnd(
                    error_code="internal", error_detail=message, retryable=True, engine=EngineTrace.UNKNOWN
                )

    def _attempt(self, lease: LeasedRun, attempt: EngineAttempt, phases: Phases) -> AttemptEnd:
        unknown = AttemptEnd(engine=EngineTrace.UNKNOWN)
        try:
            secrets = read_secrets(
                self.settings.platform_environment_file, self.settings.state_database_url.get_secret_value()
            )
            return self._engine_work(lease, attempt, secrets, phases)
        except PlatformEnvironmentError as error:
            return replace(unknown, error_code="platform_environment", error_detail=f"{error}.")
        except StackLocked as locked:
            return replace(unknown, error_code="stack_locked", error_detail=str(locked), retryable=True, is_wait=True)
        except EngineUnavailable as error:
            return replace(unknown, error_code="engine_unavailable", error_detail=f"{error}.", retryable=True)
        except (StateCorrupt, StateUnavailable) as error:
            return replace(unknown, error_code=error.code, error_detail=error.detail, retryable=error.retryable)

    def _engine_work(
        self, lease: LeasedRun, attempt: EngineAttempt, secrets: EngineSecrets, phases: Phases
    ) -> AttemptEnd:
        """Settle what an earlier engine left, plan, and apply what may be applied. Who only looks settles nothing."""
        job = self._job(lease)
        if lease.action.only_looks:
            with phases("plan"):
                found = self.plans.admit(lease, attempt, job, secrets, self._writes(lease)) or AttemptEnd()
            is_tidy = found.error_code is None and lease.previous_engine is None
            return found if is_tidy else replace(found, engine=EngineTrace.UNKNOWN)
        self.locks.check(lease.stack, lease.previous_engine)
        with phases("settle"):
            settled = attempt.settle(job, secrets)
        if settled is not None:
            return settled
        with phases("plan"):
            planned = self.plans.admit(lease, attempt, job, secrets, self._writes(lease))
        if planned is not None:
            return planned
        self.locks.check(lease.stack, None)
        with phases("apply"):
            end = attempt.apply(replace(job, stack_may_exist=True), secrets)
        if end.error_code == "stack_locked":  # somebody at a terminal was quicker by a moment
            self.locks.check(lease.stack, None)
        return end

    def _finish(self, lease: LeasedRun, end: AttemptEnd) -> None:
        with self.database.transaction() as transaction:
            writes = self._writes(lease)(transaction.session)
            done = end.error_code is None and not end.awaits_approval
            writes.log([LogLine("end", "Done." if done else f"{end.error_detail}")])
            RunResults(transaction.session, writes, self.policy).apply(lease, end, attention_of(end))

    def _job(self, lease: LeasedRun) -> EngineJob:
        deployment = self.locks.states.deployment(lease.stack)
        return EngineJob(
            operation_id=str(lease.run_id),
            fence=lease.fence,
            stack=lease.stack,
            action=EngineAction.DESTROY if lease.action is RunAction.DESTROY else EngineAction.UP,
            spec={"stack": lease.stack, "spec": dict(lease.spec)},
            work_root=self.settings.work_root,
            stack_may_exist=deployment is not None,
            deadline_seconds=min(self.settings.platform_deadline_seconds, max(1.0, lease.seconds_left)),
            refresh=lease.refreshes,
            config=provider_settings(deployment),
        )

    def _writes(self, lease: LeasedRun) -> Callable[[Session], RunWrites]:
        return lambda session: RunWrites(session, lease, self.settings.lease_seconds)


def _attributes(lease: LeasedRun) -> dict[str, str | int]:
    """What tells an attempt's span from others."""
    return {
        "slipway.platform_run": str(lease.run_id),
        "slipway.stack": lease.stack,
        "slipway.attempt": lease.attempt,
        "slipway.fence": lease.fence,
    }
