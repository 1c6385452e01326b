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
from api.operations.leases import Leased, Leases, due_operations
from api.operations.models import OperationKind
from api.operations.results import AttemptEnd, AttemptResults, EngineTrace, RetryPolicy
from api.plans.document import PlanDocument, StepOp
from api.settings import WorkerSettings
from api.tracing import span
from api.vault import Vault
from automation.engine.contract import Engine, EngineAction, EngineJob, EngineSecrets, EngineUnavailable
from automation.operations.engine_attempt import EngineAttempt, EngineRecord, Errand
from automation.operations.environment import engine_secrets
from automation.operations.fencing import FencedHosts
from automation.operations.guests import GuestDirectory, GuestError, NodeAccess
from automation.operations.heartbeat import Heartbeat
from automation.operations.journal import Journal
from automation.operations.phases import Phases
from automation.operations.planning import PlanGate
from automation.operations.verification import find_mismatch
from components.specs import WorkloadKind, parse_workload_spec

_LOG = structlog.get_logger(__name__)
_FOREIGN = "In the place of this workload there is a guest that is not ours."


@dataclass(frozen=True, slots=True)
class OperationRunner:
    """Carries out operations for one worker process, named ``owner`` in the lease.

    Attributes:
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
        if is_over:
            self._kick_waiting(lease.node_id)
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
        node = NodeAccess(
            name=lease.node_name,
            endpoint=lease.node_endpoint,
            verify_tls=lease.node_verify_tls,
            api_token=self.vault.open(lease.node_token_encrypted),
        )
        if lease.kind is OperationKind.REBOOT:
            with phases("apply"):
                return self._reboot(lease, node)
        if lease.kind is OperationKind.DESTROY and not lease.has_stack:
            return self._verify(lease, node, AttemptEnd())
        secrets = engine_secrets(node, self.vault.open(lease.passphrase_encrypted), self.settings)
        errand = Errand(f"{lease.kind} {lease.generation}", lease.previous_engine)
        attempt = EngineAttempt(self.engine, self.fences, errand, journal, heartbeat)
        end = attempt.cost(self._engine_work(lease, node, attempt, secrets, journal, phases))
        if end.error_code is not None or end.awaits_approval:
            return end
        with phases("verify"):
            return self._verify(lease, node, end)

    def _engine_work(  # noqa: PLR0913, PLR0917 - an attempt's parts, each of which has its own life
        self,
        lease: Leased,
        node: NodeAccess,
        attempt: EngineAttempt,
        secrets: EngineSecrets,
        journal: Journal,
        phases: Phases,
    ) -> AttemptEnd:
        """Settle what an earlier engine left, plan, and apply what may be applied."""
        job = self._job(lease)
        try:
            with phases("settle"):
                settled = attempt.settle(job, secrets)
            if settled is not None:
                return settled
            with phases("plan"):
                job = replace(job, refresh=job.refresh or self._is_container_off(lease, node, journal))
                found = self.plans.admit(lease, attempt, job, secrets, self._leases)
            if isinstance(found, AttemptEnd):
                return found
            if self._is_foreign_in_the_way(lease, node, found):
                return AttemptEnd(error_code="identity_conflict", error_detail=_FOREIGN, was_begun=lease.was_applied)
            self._shut_down_first(lease, node, journal)
            with phases("apply"):
                return attempt.apply(replace(job, stack_may_exist=True), secrets)
        except EngineUnavailable as error:
            return AttemptEnd(
                error_code="engine_unavailable", error_detail=f"{error}.", retryable=True, engine=EngineTrace.UNKNOWN
            )

    def _is_foreign_in_the_way(self, lease: Leased, node: NodeAccess, plan: PlanDocument) -> bool:
        """Tell whether somebody else's guest sits where the plan would make a container.

        The provider takes "already exists" for the success of a create that it repeats, and would go on to set up, and
        some day delete, a container that is not ours. One of ours bears its order's tag from its first moment on. (A
        virtual machine is cloned first and tagged then, and the provider does refuse one that is there.)
        """
        if not any(step.op is StepOp.CREATE and step.resource == "ContainerLegacy" for step in plan.steps):
            return False
        try:
            facts = self.guests.find(node, lease.vmid)
        except GuestError:
            return False  # the engine meets the same trouble and has the words for it
        return facts is not None and not facts.tags.issuperset(parse_workload_spec(lease.desired).tags)

    def _is_container_off(self, lease: Leased, node: NodeAccess, journal: Journal) -> bool:
        """Tell whether a container that is to be stopped has stopped by itself, as when its owner halts it from within.

        The stack takes it for running, and the node refuses to shut down what does not run ("CT 100 not running"), so
        the engine has to look first. Nothing else needs it: the provider looks by itself before it stops a virtual
        machine, and before it starts either kind.
        """
        if not _stops(lease) or _kind(lease) is WorkloadKind.CLOUD_VM:
            return False
        try:
            facts = self.guests.find(node, lease.vmid)
        except GuestError:
            return False  # the engine meets the same trouble and has the words for it
        if facts is None or facts.is_running:
            return False
        journal.line(LogLine("guest", f"{lease.name} is off already."))
        return True

    def _shut_down_first(self, lease: Leased, node: NodeAccess, journal: Journal) -> None:
        """Let a virtual machine that is to be stopped shut itself down: the provider would pull its plug.

        That is what it does with a machine without a guest agent. A container it asks by itself, and kills only one
        that takes longer than the ``timeout_delete`` of its kind: nothing is left to do here.
        """
        if not _stops(lease) or _kind(lease) is not WorkloadKind.CLOUD_VM:
            return
        journal.line(LogLine("guest", f"Asking {lease.name} to shut down."))
        try:
            obeyed = self.guests.shut_down(node, lease.vmid, WorkloadKind.CLOUD_VM)
        except GuestError:
            return  # the engine meets the same trouble and has the words for it
        if not obeyed:
            journal.line(LogLine("guest", f"{lease.name} does not react; it will be switched off."))

    def _reboot(self, lease: Leased, node: NodeAccess) -> AttemptEnd:
        end = AttemptEnd(engine=EngineTrace.UNKNOWN)  # whatever engine is on record is not this operation's
        try:
            self.guests.reboot(node, lease.vmid, _kind(lease))
        except GuestError as error:
            return _failed(end, "node_unreachable", f"{error}.")
        return self._verify(lease, node, end)

    def _verify(self, lease: Leased, node: NodeAccess, end: AttemptEnd) -> AttemptEnd:
        """Believe the node, not the engine: is the guest there and ours, or is it gone?"""
        try:
            facts = self.guests.find(node, lease.vmid)
        except GuestError as error:
            return _failed(end, "node_unreachable", f"{error}.")
        wrong = find_mismatch(lease.kind, lease.desired, facts)
        if wrong is not None:
            return _failed(end, wrong.code, wrong.detail, retryable=wrong.retryable)
        return replace(end, is_running=facts is not None and facts.is_running)

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

    def _job(self, lease: Leased) -> EngineJob:
        return EngineJob(
            operation_id=str(lease.operation_id),
            fence=lease.fence,
            stack=lease.stack,
            action=EngineAction.DESTROY if lease.kind is OperationKind.DESTROY else EngineAction.UP,
            spec=lease.desired,
            work_root=self.settings.work_root,
            stack_may_exist=lease.has_stack,
            deadline_seconds=min(self.settings.operation_deadline_seconds, max(1.0, lease.seconds_left)),
            refresh=lease.refreshes,
        )

    def _leases(self, session: Session) -> Leases:
        return Leases(session, self.owner, self.settings.lease_seconds)


def _attributes(lease: Leased) -> dict[str, str | int]:
    """What tells an attempt's span from others."""
    return {
        "slipway.operation": str(lease.operation_id),
        "slipway.workload": str(lease.workload_id),
        "slipway.node": lease.node_name,
        "slipway.attempt": lease.attempt,
        "slipway.fence": lease.fence,
    }


def _kind(lease: Leased) -> WorkloadKind:
    return WorkloadKind(str(lease.desired["kind"]))


def _stops(lease: Leased) -> bool:
    """Whether a guest that is there shall be off."""
    return lease.kind is OperationKind.APPLY and lease.was_applied and not lease.desired["started"]


def _failed(end: AttemptEnd, code: str, detail: str, *, retryable: bool = True) -> AttemptEnd:
    return replace(end, error_code=code, error_detail=detail, retryable=retryable)
