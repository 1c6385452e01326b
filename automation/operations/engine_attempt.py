"""One attempt's dealings with the engine: the one it finds at work or half-way, and its own."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, Self

import structlog

from api.errors import LeaseLost
from api.operations.events import LogLine
from api.operations.results import AttemptEnd, EngineTrace
from automation.engine.contract import (
    Engine,
    EngineEvent,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
    EngineRun,
    EngineSecrets,
)
from automation.operations.cancellation import CancelWatch
from automation.operations.fencing import FencedHosts
from automation.operations.heartbeat import Heartbeat

_LOG = structlog.get_logger(__name__)
_RECOVERY, _PREVIEW = "recovery", "preview"


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """What the operation's row remembers of an engine.

    Attributes:
        operation_id: and ``fence``: where the run left its files.
        goal: kind and generation it works for, or a recovery or preview; the success of another goal is not ours.
        ended: whether its end was seen: then nothing is left to wait for.
    """

    process: EngineProcess
    operation_id: str
    fence: int
    goal: str
    ended: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``document`` wrote."""
        return cls(**{**document, "process": EngineProcess(**document["process"])})

    def document(self) -> dict[str, Any]:
        """Write the record for the row."""
        return asdict(self)


class AttemptJournal(Protocol):
    """What an attempt writes while an engine works; every write raises ``LeaseLost`` once the lease is lost."""

    def line(self, line: LogLine) -> None:
        """Add a line to the log."""

    def engine(self, document: Mapping[str, Any]) -> None:
        """Remember the engine that works for this attempt."""

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the work to end."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What an attempt is to do with a stack.

    Attributes:
        goal: tells one wish from another: the success of an earlier engine counts if it had the same.
        previous_engine: the record of the engine that an earlier attempt left, if any.
        may_unlock: asked just before a recovery: whether the stack has a lock, which can only be the dead engine's.
    """

    goal: str
    previous_engine: Mapping[str, Any] | None
    may_unlock: Callable[[], bool] = lambda: True


class EngineAttempt:
    """Brings a stack to what one lease asks for."""

    def __init__(
        self, engine: Engine, fences: FencedHosts, errand: Errand, journal: AttemptJournal, heartbeat: Heartbeat
    ) -> None:
        """Work with ``engine`` for as long as ``heartbeat`` says that the lease is ours, and nobody wants it ended."""
        self._engine = engine
        self._fences = fences
        self._errand = errand
        self._journal = journal
        self._heartbeat = heartbeat
        self._cancel = CancelWatch(journal.is_cancel_requested)
        self._processes = 0
        self._cpu_seconds = 0.0

    def settle(self, job: EngineJob, secrets: EngineSecrets) -> AttemptEnd | None:
        """Deal with the engine that an earlier attempt left; None if the stack is ready for the next one. Blocks.

        Raises:
            LeaseLost: if the lease was lost meanwhile; the result at hand is dropped.
            EngineUnavailable: if no child could be started.
        """
        earlier = self._errand.previous_engine
        return None if earlier is None else self._take_over(EngineRecord.of(earlier), job, secrets)

    def preview(self, job: EngineJob, secrets: EngineSecrets, *, makes_stack: bool) -> EngineResult:
        """Look at what would be done; blocks.

        A preview holds no lock and changes nothing, so none is put on record, but one that has to make the stack: cut
        off in that, it leaves a lock behind.

        Raises:
            LeaseLost: if the lease was lost meanwhile.
            EngineUnavailable: if no child could be started.
        """
        run = self._engine.start(job, secrets)
        if makes_stack:
            self._journal.engine(EngineRecord(run.process, job.operation_id, job.fence, _PREVIEW).document())
        return self._wait(run, _unheard)

    def apply(self, job: EngineJob, secrets: EngineSecrets) -> AttemptEnd:
        """Let the engine work until it has ended; blocks.

        Raises:
            LeaseLost: if the lease was lost meanwhile; the result at hand is dropped.
            EngineUnavailable: if no child could be started.
        """
        return end_of(self._work(self._engine.start(job, secrets), job, self._errand.goal))

    def _work(self, run: EngineRun, job: EngineJob, goal: str) -> EngineResult:
        """Put a run on record before it begins, so that whoever comes next knows who may be at work on the stack."""
        self._journal.engine(EngineRecord(run.process, job.operation_id, job.fence, goal).document())
        return self._wait(run, self._tell)

    def _take_over(self, earlier: EngineRecord, job: EngineJob, secrets: EngineSecrets) -> AttemptEnd | None:
        """Deal with the engine of an earlier attempt: its success is ours; None means "start afresh".

        An engine survives its worker, so it may still be at work or have ended unseen. One that was killed half-way
        leaves a lock and interrupted steps behind, which are tidied up only once its death is certain.
        """
        self._journal.line(LogLine("recover", "An earlier attempt was cut off; looking at what became of it."))
        if not earlier.ended:
            its_job = replace(job, operation_id=earlier.operation_id, fence=earlier.fence)
            run = self._engine.attach(its_job, secrets, earlier.process)
            result = None if run is None else self._wait(run, self._tell)
            if result is not None and result.outcome is EngineOutcome.SUCCEEDED and earlier.goal == self._errand.goal:
                return end_of(result)
        if not self._is_dead(earlier):
            return AttemptEnd(
                error_code="engine_of_unknown_fate",
                error_detail="An earlier engine ran on another host and may still be alive.",
                retryable=True,
                is_wait=True,
                engine=EngineTrace.UNKNOWN,
            )
        job = replace(job, unlock=self._errand.may_unlock())
        recovered = self._work(self._engine.recover(job, secrets), job, _RECOVERY)
        return None if recovered.outcome is EngineOutcome.SUCCEEDED else end_of(recovered)

    def _is_dead(self, earlier: EngineRecord) -> bool:
        """Make sure that nothing of an earlier engine is at work; of another host's, others have to know."""
        return self._engine.terminate(earlier.process) or earlier.ended or self._fences.is_dead(earlier.process)

    def _wait(self, run: EngineRun, tell: Callable[[EngineEvent], None]) -> EngineResult:
        result = run.wait(tell, lambda: self._heartbeat.is_ours and not self._cancel.check())
        if not self._heartbeat.is_ours:
            raise LeaseLost("the lease ran out while the engine was at work")
        self._processes += result.pulumi_processes
        self._cpu_seconds += result.cpu_seconds
        return result

    def cost(self, end: AttemptEnd) -> AttemptEnd:
        """Charge an end with all that the attempt's engines have used: recovery, preview and update."""
        return replace(end, pulumi_processes=self._processes, cpu_seconds=round(self._cpu_seconds, 3))

    def _tell(self, event: EngineEvent) -> None:
        """Log an event. A lost lease must not raise here: the engine would work on, instead of being interrupted."""
        try:
            self._journal.line(LogLine(event.kind, event.message, event.data))
        except LeaseLost:
            self._heartbeat.lose()


def _unheard(_event: EngineEvent) -> None:
    """Leave a preview's events out of the log: the plan says the same in one line."""


def end_of(result: EngineResult) -> AttemptEnd:
    """Put an engine's result into the terms of the services."""
    end = AttemptEnd(outputs=result.outputs, changes=result.changes)
    if result.outcome is EngineOutcome.SUCCEEDED:
        return end
    failure = result.failure
    if failure is not None:
        _LOG.warning("engine_failed", code=failure.code, detail=failure.detail)
    return replace(
        end,
        error_code=f"engine_{result.outcome}" if failure is None else failure.code,
        error_detail="The engine was stopped before it had finished." if failure is None else failure.message,
        retryable=failure is None or failure.retryable,
        is_cancelled=result.outcome is EngineOutcome.CANCELLED,
        technical="" if failure is None else failure.detail,
        engine=EngineTrace.UNTIDY,
    )
