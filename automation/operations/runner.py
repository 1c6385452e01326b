"""Runs one operation: lease, engine, verification, result. No database session is open while the engine works."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from api.db.session import Database
from api.errors import LeaseLost
from api.jobs import Job, JobQueue
from api.operations.events import LogLine, append
from api.operations.leased import Leased, LeasedNode
from api.operations.leases import Leases, due_operations
from api.operations.models import OperationKind
from api.operations.results import AttemptEnd, AttemptResults, EngineTrace, RetryPolicy
from api.settings import WorkerSettings
from api.tracing import span
from api.vault import Vault
from automation.engine.contract import Engine, EngineAction, EngineJob, EngineSecrets, EngineUnavailable
from automation.operations.engine_attempt import EngineAttempt, EngineRecord, Errand
from automation.operations.environment import engine_secrets
from automation.operations.fencing import FencedHosts
from automation.operations.guests import GuestDirectory
from automation.operations.heartbeat import Heartbeat
from automation.operations.journal import Journal
from automation.operations.machine_place import Bmcs
from automation.operations.phases import Phases
from automation.operations.places import OutOfReach, Place
from automation.operations.planning import PlanGate
from automation.operations.whereabouts import Whereabouts
from pxe.power.connection import driver_for

_LOG = structlog.get_logger(__name__)
_FOREIGN = "In the place of this workload there is a guest that is not ours."


@dataclass(frozen=True, slots=True)
class OperationRunner:
    """Carries out operations for one worker process, named ``owner`` in the lease.

    Attributes:
        bmcs: finds the driver of a machine's BMC.
        clock: monotonic, in seconds. It only tells this worker when to doubt its lease; who has one is for the
            database's clock to say.
    """

    database: Database
    engine: Engine
    guests: GuestDirectory
    jobs: JobQueue
    vault: Vault
    settings: WorkerSettings
    policy: RetryPolicy
    plans: PlanGate
    fences: FencedHosts
    owner: str
    bmcs: Bmcs = driver_for
    clock: Callable[[], float] = time.monotonic

    def run(self, operation_id: UUID) -> bool:
        """Carry the operation out if it is due and free; returns whether it was ours. Blocks until it has ended.

        A host that was declared dead, and lives, carries nothing out before it is restarted.
        """
        asked_at = self.clock()
        if self.fences.is_here():
            _LOG.error("host_fenced", owner=self.owner)
            return False
        with self.database.transaction() as transaction:
            lease = self._leases(transaction.session).acquire(operation_id, self.settings.clones_per_storage)
        if lease is None:
            return False
        with (
            bound_contextvars(operation=str(operation_id)),
            span(f"operation.{lease.kind}", _attributes(lease), parent=lease.traceparent),
        ):
            is_over = self._carry_out(lease, asked_at)
        if is_over and isinstance(lease.place, LeasedNode):
            self._kick_waiting(lease.place.id)
        return True

    def _carry_out(self, lease: Leased, asked_at: float) -> bool:
        """Make one attempt and write its end; False if the lease was lost over it."""
        log = _LOG.bind(fence=lease.fence, attempt=lease.attempt)
        try:
            end = self._given_up(lease) or self._work(lease, asked_at)
            self._finish(lease, end)
        except LeaseLost:
            log.warning("lease_lost")
            return False
        log.info("attempt_ended", kind=lease.kind, error=end.error_code)
        return True

    def _given_up(self, lease: Leased) -> AttemptEnd | None:
        """End an operation whose time is over, or whose workers all died over it, before it takes another one down."""
        if lease.is_overdue:
            code, message = "deadline", "It did not end in the time that it had."
        elif lease.attempt > self.policy.attempts:
            code, message = "attempts_exhausted", f"It was cut off {self.policy.attempts} times before it could end."
        else:
            return None
        self._stop_engine(lease)
        return AttemptEnd(error_code=code, error_detail=message, engine=EngineTrace.UNKNOWN)

    def _stop_engine(self, lease: Leased) -> None:
        """Leave no engine of this host at work for an operation that is given up; the next one tidies up."""
        if lease.previous_engine is not None:
            record = EngineRecord.of(lease.previous_engine)
            if not record.ended:
                self.engine.terminate(record.process)

    def _work(self, lease: Leased, asked_at: float) -> AttemptEnd:
        journal = Journal(self.database, lease, self.owner, self.settings.lease_seconds)
        phases = Phases(self.clock)
        with Heartbeat(journal.renew, self.settings.lease_seconds, asked_at, self.clock) as heartbeat:
            try:
                journal.begin()
                return replace(self._attempt(lease, journal, heartbeat, phases), phases=phases.seconds)
            except LeaseLost:
                raise
            except Exception:  # noqa: BLE001 - without an end the attempt would be made again and again, at once
                _LOG.exception("attempt_failed", operation=str(lease.operation_id))
                message = "Something went wrong on our side."
                return AttemptEnd(
                    error_code="internal", error_detail=message, retryable=True, engine=EngineTrace.UNKNOWN
                )

    def _attempt(self, lease: Leased, journal: Journal, heartbeat: Heartbeat, phases: Phases) -> AttemptEnd:
        place = self._places.of(lease)
        if lease.kind is OperationKind.REBOOT:
            with phases("apply"):
                return _reboot(place)
        if lease.kind is OperationKind.DESTROY and not lease.has_stack:
            return _verify(place, AttemptEnd())
        try:
            secrets = engine_secrets(place.environment(), self.vault.open(lease.passphrase_encrypted), self.settings)
        except OutOfReach as error:
            return _out_of_reach(AttemptEnd(engine=EngineTrace.UNKNOWN), error)
        errand = Errand(f"{lease.kind} {lease.generation}", lease.previous_engine)
        attempt = EngineAttempt(self.engine, self.fences, errand, journal, heartbeat)
        end = attempt.cost(self._engine_work(lease, place, attempt, secrets, journal, phases))
        if end.error_code is not None or end.awaits_approval:
            return end
        with phases("verify"):
            return _verify(place, end)

    def _engine_work(  # noqa: PLR0913, PLR0917 - an attempt's parts, each of which has its own life
        self,
        lease: Leased,
        place: Place,
        attempt: EngineAttempt,
        secrets: EngineSecrets,
        journal: Journal,
        phases: Phases,
    ) -> AttemptEnd:
        """Settle what an earlier engine left, plan, and apply what may be applied."""
        job = self._job(lease, place)
        try:
            with phases("settle"):
                settled = attempt.settle(job, secrets)
            if settled is not None:
                return settled
            with phases("plan"):
                job = replace(job, refresh=job.refresh or place.must_look_first(journal.line))
                found = self.plans.admit(lease, attempt, job, secrets, self._leases)
            if isinstance(found, AttemptEnd):
                return found
            if place.is_taken(found):
                return AttemptEnd(error_code="identity_conflict", error_detail=_FOREIGN, was_begun=lease.was_applied)
            place.prepare(journal.line)
            with phases("apply"):
                return attempt.apply(replace(job, stack_may_exist=True), secrets)
        except EngineUnavailable as error:
            return AttemptEnd(
                error_code="engine_unavailable", error_detail=f"{error}.", retryable=True, engine=EngineTrace.UNKNOWN
            )

    def _finish(self, lease: Leased, end: AttemptEnd) -> None:
        with self.database.transaction() as transaction:
            session = transaction.session
            done = end.error_code is None and not end.awaits_approval
            line = LogLine("end", "Done." if done else f"{end.error_detail}")
            append(session, lease.operation_id, lease.attempt, [line])
            results = AttemptResults(session, self._leases(transaction.session), self.policy)
            following = results.apply(lease, end)
            if following is not None:
                following_id = following.id
                transaction.after_commit(lambda: self.jobs.enqueue(Job.RUN_OPERATION, following_id))
            if end.error_code is not None:
                transaction.after_commit(lambda: self.jobs.enqueue(Job.PAY_REFUNDS))

    def _kick_waiting(self, node_id: UUID) -> None:
        """Hint at operations that found the node busy: the place that has just become free is theirs."""
        limit = self.settings.clones_per_storage
        with self.database.transaction() as transaction:
            waiting = due_operations(transaction.session, limit, node_id=node_id, limit=limit)
        for operation_id in waiting:
            self.jobs.enqueue(Job.RUN_OPERATION, operation_id)

    def _job(self, lease: Leased, place: Place) -> EngineJob:
        return EngineJob(
            operation_id=str(lease.operation_id),
            fence=lease.fence,
            stack=lease.stack,
            action=EngineAction.DESTROY if lease.kind is OperationKind.DESTROY else EngineAction.UP,
            spec=lease.desired,
            work_root=self.settings.work_root,
            stack_may_exist=lease.has_stack,
            deadline_seconds=min(place.deadline_seconds, max(1.0, lease.seconds_left)),
            refresh=lease.refreshes,
        )

    @property
    def _places(self) -> Whereabouts:
        return Whereabouts(self.database, self.guests, self.bmcs, self.vault, self.settings)

    def _leases(self, session: Session) -> Leases:
        return Leases(session, self.owner, self.settings.lease_seconds)


def _attributes(lease: Leased) -> dict[str, str | int]:
    """What tells an attempt's span from others."""
    return {
        "slipway.operation": str(lease.operation_id),
        "slipway.workload": str(lease.workload_id),
        "slipway.place": lease.place.words,
        "slipway.attempt": lease.attempt,
        "slipway.fence": lease.fence,
    }


def _reboot(place: Place) -> AttemptEnd:
    end = AttemptEnd(engine=EngineTrace.UNKNOWN)  # whatever engine is on record is not this operation's
    try:
        place.restart()
    except OutOfReach as error:
        return _out_of_reach(end, error)
    return _verify(place, end)


def _verify(place: Place, end: AttemptEnd) -> AttemptEnd:
    """Believe what is there, not the engine."""
    try:
        sight = place.look()
    except OutOfReach as error:
        return _out_of_reach(end, error)
    if sight.wrong is None:
        place.conclude()
        return replace(end, is_running=sight.is_running)
    wrong = sight.wrong
    return replace(end, error_code=wrong.code, error_detail=wrong.detail, retryable=wrong.retryable)


def _out_of_reach(end: AttemptEnd, error: OutOfReach) -> AttemptEnd:
    return replace(end, error_code=error.code, error_detail=str(error), retryable=error.is_retryable)
