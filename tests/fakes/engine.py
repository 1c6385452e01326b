"""An engine without processes, for tests of whatever drives one. Passes the same contract test as the real one.

Stacks live in a dictionary. What a run does is decided by the controls: ``fail_next``, ``hold``, ``terminate``; what a
preview tells is the truth, unless ``next_steps`` or ``drift`` say otherwise.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from automation.engine.contract import (
    EngineAction,
    EngineEvent,
    EngineFailure,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
    EngineSecrets,
    EngineUnavailable,
)
from tests.fakes.engine_steps import Step, planned

HOST = "fake-host"
_POLL_SECONDS = 0.01
_LOCKED = EngineFailure("stack_locked", "Another operation holds this workload.", retryable=True)
_KILLED = EngineFailure("engine_killed", "The engine was killed (SIGKILL) before it ended.", retryable=True)
_CANCELLED = EngineFailure("cancelled", "The operation was cancelled.", retryable=True)
_DEADLINE = EngineFailure("deadline", "The operation did not end in time.", retryable=True)


class Gate:
    """Where a held run waits: ``started`` says that it is there, ``open`` lets it go on."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.opened = threading.Event()

    def open(self) -> None:
        """Let the run go on."""
        self.opened.set()


@dataclass(slots=True)
class FakeStack:
    """What the fake engine remembers of a stack.

    Attributes:
        spec: what it was last brought to; None for an empty stack.
        world: what is really there, where that is something else; an empty mapping says that it is gone.
    """

    spec: Mapping[str, Any] | None = None
    world: Mapping[str, Any] | None = None
    locked: bool = False


@dataclass(slots=True)
class FakeRun:
    """A run of the fake engine."""

    engine: "FakeEngine"
    job: EngineJob
    identity: EngineProcess
    gate: Gate | None
    failure: EngineFailure | None
    is_recovery: bool = False
    began: bool = False
    killed: bool = False
    result: EngineResult | None = None
    events: list[EngineEvent] = field(default_factory=list)

    @property
    def process(self) -> EngineProcess:
        """Identity of the pretended child."""
        return self.identity

    def wait(self, on_event: Callable[[EngineEvent], None], poll: Callable[[], bool]) -> EngineResult:
        """Do what the job says, here and now, telling each event."""
        if self.result is None:
            self.began = True
            self.result = self.engine.perform(self, poll)
        for event in self.events:
            on_event(event)
        return self.result

    def abandon(self) -> None:
        """Let go of the run; one that has not begun ends."""
        if not self.began:
            self.result = EngineResult(EngineOutcome.FAILED, failure=_KILLED)

    def tell(self, kind: str, message: str, **data: Any) -> None:
        """Add an event."""
        self.events.append(EngineEvent(len(self.events) + 1, kind, message, data))

    @property
    def alive(self) -> bool:
        """Whether the pretended child lives."""
        return self.result is None and not self.killed


class FakeEngine:
    """An ``Engine`` whose world is a dictionary.

    Attributes:
        stacks: by name; one that was destroyed is gone.
        runs: every run that may change something, in the order in which they were started.
        previews: every run that only looks, in the same order.
        recoveries: every recovery, in the order in which they were started.
        recovered: names of the stacks that were recovered, in order.
    """

    def __init__(self, outputs: Callable[[EngineJob], Mapping[str, Any]] = lambda job: dict(job.spec)) -> None:
        """Choose what an ``up`` of a job outputs."""
        self.stacks: dict[str, FakeStack] = {}
        self.runs: list[FakeRun] = []
        self.previews: list[FakeRun] = []
        self.recoveries: list[FakeRun] = []
        self.recovered: list[str] = []
        self._outputs = outputs
        self._failures: deque[EngineFailure] = deque()
        self._preview_failures: deque[EngineFailure] = deque()
        self._steps: deque[tuple[Step, ...]] = deque()
        self._unavailable = 0
        self._gate: Gate | None = None
        self._recovery_gate: Gate | None = None
        self._pids = count(1000)

    def fail_next(self, code: str, *, retryable: bool, message: str = "It failed.") -> None:
        """Let the next run that is started fail; previews go on."""
        self._failures.append(EngineFailure(code, message, retryable))

    def fail_next_preview(self, code: str, *, retryable: bool, message: str = "It failed.") -> None:
        """Let the next preview that is started fail."""
        self._preview_failures.append(EngineFailure(code, message, retryable))

    def next_steps(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Let the next preview that is made tell these steps; may be called for several in advance."""
        self._steps.append(tuple(dict(step) for step in steps))

    def drift(self, stack: str, world: Mapping[str, Any] | None) -> None:
        """Change what is really there behind the state's back; None takes it away altogether."""
        self.stacks[stack].world = dict(world or {})

    def refuse_next(self, times: int = 1) -> None:
        """Raise ``EngineUnavailable`` at the next starts."""
        self._unavailable += times

    def hold(self) -> Gate:
        """Make the runs that are started from now on wait at the gate that is returned."""
        self._gate = Gate()
        return self._gate

    def hold_recovery(self) -> Gate:
        """Make the recoveries that are started from now on wait at the gate that is returned."""
        self._recovery_gate = Gate()
        return self._recovery_gate

    def release(self) -> None:
        """Hold no further run."""
        self._gate = self._recovery_gate = None

    def start(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        """Begin a run that does nothing before ``wait``."""
        if self._unavailable:
            self._unavailable -= 1
            raise EngineUnavailable("the fake engine was told to refuse")
        looks_only = job.action.is_preview
        if not looks_only and any(self._key(run.job) == self._key(job) for run in self.runs):
            raise EngineUnavailable(f"operation {job.operation_id} was run with fence {job.fence} before")
        assert secrets.backend_url
        identity = EngineProcess(HOST, "fake-boot", next(self._pids), 1)
        failures = self._preview_failures if looks_only else self._failures
        failure = failures.popleft() if failures else None
        run = FakeRun(self, job, identity, None if looks_only else self._gate, failure)
        (self.previews if looks_only else self.runs).append(run)
        return run

    def attach(self, job: EngineJob, secrets: EngineSecrets, process: EngineProcess) -> FakeRun | None:
        """Find a run again; one that succeeded and was waited for is forgotten, as the real engine's files are."""
        del secrets
        for run in self.runs:
            if self._key(run.job) == self._key(job) and run.process == process:
                forgotten = run.result is not None and run.result.outcome is EngineOutcome.SUCCEEDED
                return None if forgotten else run
        return None

    def is_alive(self, process: EngineProcess) -> bool | None:
        """Tell whether a run is still at work."""
        if process.host != HOST:
            return None
        return any(run.alive for run in (*self.runs, *self.previews, *self.recoveries) if run.process == process)

    def terminate(self, process: EngineProcess) -> bool:
        """Kill a run: it leaves its stack locked."""
        if process.host != HOST:
            return False
        for run in (*self.runs, *self.recoveries):
            if run.process == process and run.alive:
                run.killed = True
                if run.began:
                    self.stacks.setdefault(run.job.stack, FakeStack()).locked = True
        return True

    def recover(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        """Begin a run that unlocks the stack once it is waited for."""
        assert secrets.backend_url
        identity = EngineProcess(HOST, "fake-boot", next(self._pids), 1)
        run = FakeRun(self, job, identity, self._recovery_gate, failure=None, is_recovery=True)
        self.recoveries.append(run)
        return run

    def perform(self, run: FakeRun, poll: Callable[[], bool]) -> EngineResult:
        """Carry a run out; blocks while it is held."""
        if run.is_recovery:
            return self._held(run, poll) or self._unlock(run.job)
        stack = self.stacks.get(run.job.stack)
        if stack is not None and stack.locked:
            return EngineResult(EngineOutcome.FAILED, failure=_LOCKED, pulumi_processes=1)
        stopped = self._held(run, poll)
        if stopped is not None:
            return stopped
        if run.failure is not None:
            run.tell("diagnostic", run.failure.message, severity="error", code=run.failure.code)
            return EngineResult(EngineOutcome.FAILED, failure=run.failure, pulumi_processes=1)
        return self._apply(run)

    def _unlock(self, job: EngineJob) -> EngineResult:
        self.recovered.append(job.stack)
        if job.stack in self.stacks:
            self.stacks[job.stack].locked = False
        return EngineResult(EngineOutcome.SUCCEEDED, changes={"imported": 0, "cleared": 0}, pulumi_processes=2)

    def _held(self, run: FakeRun, poll: Callable[[], bool]) -> EngineResult | None:
        if run.gate is None:
            return EngineResult(EngineOutcome.FAILED, failure=_KILLED) if run.killed else None
        run.gate.started.set()
        left = run.job.deadline_seconds
        while not run.gate.opened.wait(_POLL_SECONDS):
            left -= _POLL_SECONDS
            if run.killed:
                return EngineResult(EngineOutcome.FAILED, failure=_KILLED)
            if not poll():
                return EngineResult(EngineOutcome.CANCELLED, failure=_CANCELLED, pulumi_processes=1)
            if left <= 0:
                return EngineResult(EngineOutcome.DEADLINE, failure=_DEADLINE, pulumi_processes=1)
        return None

    def _apply(self, run: FakeRun) -> EngineResult:
        if run.job.action.is_preview:
            return self._look(run)
        job = run.job
        before = self.stacks.get(job.stack)
        if job.action is EngineAction.DESTROY:
            self.stacks.pop(job.stack, None)
            changes = {} if before is None else {"delete": 1}
        else:
            changes = _counted(before, job)
            self.stacks[job.stack] = FakeStack(spec=dict(job.spec))
        run.tell("summary", "Finished", changes=changes)
        outputs = self._outputs(job) if job.action is EngineAction.UP else {}
        processes = 2 if job.action is EngineAction.UP and not job.stack_may_exist else 1
        return EngineResult(EngineOutcome.SUCCEEDED, outputs, changes, None, processes, cpu_seconds=0.01)

    def _look(self, run: FakeRun) -> EngineResult:
        """Tell what would be done: of a stack that is not there, its making, or nothing to destroy."""
        job = run.job
        stack = self.stacks.get(job.stack)
        spec = None if stack is None else stack.spec
        world = spec if stack is None or stack.world is None else stack.world or None
        if self._steps:
            steps = self._steps.popleft()
        elif job.action is EngineAction.PREVIEW_DESTROY:
            steps = planned(job.stack, spec, None)
        elif job.action is EngineAction.PREVIEW_REFRESH:
            steps = planned(job.stack, spec, world)
        else:
            steps = planned(job.stack, world if job.refresh else spec, dict(job.spec))
        destroys = job.action is EngineAction.PREVIEW_DESTROY
        changes = ({"delete": 1} if stack else {}) if destroys else _counted(stack, job)
        run.tell("summary", "Finished", changes=changes)
        processes = 2 if job.action is EngineAction.PREVIEW and not job.stack_may_exist else 1
        return EngineResult(EngineOutcome.SUCCEEDED, {}, changes, None, processes, cpu_seconds=0.01, steps=steps)

    @staticmethod
    def _key(job: EngineJob) -> tuple[str, int]:
        return job.operation_id, job.fence


def _counted(before: FakeStack | None, job: EngineJob) -> dict[str, int]:
    if before is not None and before.spec == dict(job.spec):
        return {"same": 1}
    return {"create" if before is None or before.spec is None else "update": 1}
