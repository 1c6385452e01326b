"""The fake engine with a real process in each run: an ``up`` works for as long as its process lives."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from automation.engine.contract import (
    EngineAction,
    EngineEvent,
    EngineFailure,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
    EngineRun,
    EngineSecrets,
)
from automation.engine.process import identify, is_alive, kill_session
from tests.fakes.engine import FakeEngine, FakeRun

_POLL_SECONDS = 0.05
_KILLED = EngineFailure("engine_killed", "The engine was killed (SIGKILL) before it ended.", retryable=True)


@dataclass
class SleepingRun:
    """A run whose process sleeps; it ends with it."""

    process: EngineProcess
    child: subprocess.Popen[bytes]

    def wait(self, on_event: Callable[[EngineEvent], None], poll: Callable[[], bool]) -> EngineResult:
        """Block until the process is gone, or is not wanted any more."""
        del on_event
        while self.child.poll() is None:
            if not poll():
                kill_session(self.process)
            time.sleep(_POLL_SECONDS)
        return EngineResult(EngineOutcome.FAILED, failure=_KILLED)

    def abandon(self) -> None:
        """Let go of the run."""


class SleepingEngine:
    """An ``Engine`` whose ``up`` is a sleeping process; previews and recoveries are the fake engine's."""

    def __init__(self, fake: FakeEngine) -> None:
        self._fake = fake

    def start(self, job: EngineJob, secrets: EngineSecrets) -> EngineRun:
        """Preview as the fake engine does, or begin to sleep."""
        if job.action is not EngineAction.UP:
            return self._fake.start(job, secrets)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        return SleepingRun(identify(child.pid), child)

    def attach(self, job: EngineJob, secrets: EngineSecrets, process: EngineProcess) -> FakeRun | None:
        """Find nothing again."""
        return self._fake.attach(job, secrets, process)

    def terminate(self, process: EngineProcess) -> bool:
        """Kill a process of this host with all that belongs to it."""
        return is_alive(process) is not None and kill_session(process)

    def is_alive(self, process: EngineProcess) -> bool | None:
        """Look into the process table."""
        return is_alive(process)

    def recover(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        """Recover as the fake engine does."""
        return self._fake.recover(job, secrets)


class KillingEngine(FakeEngine):
    """The fake engine of a second worker, which can kill the first one's processes."""

    def terminate(self, process: EngineProcess) -> bool:
        """Kill a process of this host with all that belongs to it."""
        return is_alive(process) is not None and kill_session(process)
