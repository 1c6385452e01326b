"""Watches over the commands of one engine operation, inside its child process.

The limits hold here and not in the worker, because the worker may be gone: an engine must end by itself.
"""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from types import FrameType

from automation.engine.contract import EngineOutcome
from automation.engine.process import session_members

_SLICE_SECONDS = 1.0


class Interrupted(Exception):  # noqa: N818 - not an error: somebody asked for it
    """No further command may start: the operation was cancelled, or its time is over."""


class Supervisor:
    """Runs one command at a time; passes an interrupt on, and kills what does not heed it.

    Attributes:
        stopped: why the operation was stopped early; None while nobody stopped it.
        commands: how many commands were started.
        last_code: exit code of the last one, negative for a signal.
    """

    def __init__(self, deadline_seconds: float, grace_seconds: float) -> None:
        """Count the deadline from now."""
        self._deadline = time.monotonic() + deadline_seconds
        self._grace = grace_seconds
        self._kill_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped: EngineOutcome | None = None
        self.commands = 0
        self.last_code = 0

    def install(self) -> None:
        """Take SIGINT and SIGTERM as the wish to cancel."""
        signal.signal(signal.SIGINT, self._cancelled)
        signal.signal(signal.SIGTERM, self._cancelled)

    def check(self) -> None:
        """Refuse to go on with an operation that was stopped.

        Raises:
            Interrupted: if it was cancelled or is past its deadline.
        """
        if self.stopped is None and time.monotonic() >= self._deadline:
            self.stopped = EngineOutcome.DEADLINE
        if self.stopped is not None:
            raise Interrupted

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Block until a command ends; returns its exit code, negative for a signal.

        Afterwards nothing of the command is left: plugins that outlive the CLI are killed and waited for.
        """
        self.commands += 1
        self._process = process
        if self.stopped is not None:  # cancelled while the process was being started
            self._interrupt(self.stopped)
        descriptor = os.pidfd_open(process.pid)
        try:
            while not select.select([descriptor], [], [], self._patience())[0]:
                self._enforce()
            self.last_code = process.wait()
            return self.last_code
        finally:
            os.close(descriptor)
            self._process, self._kill_at = None, None
            end_descendants()

    def _patience(self) -> float:
        limit = self._deadline if self._kill_at is None else self._kill_at
        return min(max(limit - time.monotonic(), 0.0), _SLICE_SECONDS)

    def _enforce(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            kill_descendants()
        elif self.stopped is None and now >= self._deadline:
            self._interrupt(EngineOutcome.DEADLINE)

    def _cancelled(self, _signal: int, _frame: FrameType | None) -> None:
        if self.stopped is None:
            self._interrupt(EngineOutcome.CANCELLED)

    def _interrupt(self, why: EngineOutcome) -> None:
        """Ask the CLI to begin nothing new. Once only: a second signal makes it drop the step it is at."""
        self.stopped = why
        if self._process is not None and self._kill_at is None:
            self._kill_at = time.monotonic() + self._grace
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)


def kill_descendants() -> None:
    """Kill every process of this session but this one."""
    for pid in list(session_members(os.getpid())):
        if pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def end_descendants() -> None:
    """Kill what is left of a command, and wait for it, so that its processor time is counted.

    This process must be a subreaper, else orphans are waited for elsewhere.
    """
    kill_descendants()
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
