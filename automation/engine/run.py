"""Following one engine run from the worker: its events, its end, and making it end."""

import json
import select
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from automation.engine import errors
from automation.engine.contract import EngineEvent, EngineOutcome, EngineProcess, EngineResult
from automation.engine.events import Narrator
from automation.engine.process import interrupt, is_alive, kill_session
from automation.engine.rundir import EventTail, RunDirectory
from automation.engine.scrub import Scrubber
from automation.engine.wire import GO, read_line

_TICK_SECONDS = 0.1
_POLL_SECONDS = 0.5
# The child enforces deadline and grace itself; only one that no longer can is killed from here, this much later.
_MARGIN_SECONDS = 15.0
_LOG_BYTES = 16_384


class ProcessRun:
    """An engine run on this host.

    Attributes:
        process: identity of the child.
    """

    def __init__(  # noqa: PLR0913 - one place makes it, by keyword
        self,
        *,
        process: EngineProcess,
        directory: RunDirectory,
        connection: socket.socket | None,
        scrub: Scrubber,
        deadline_seconds: float,
        grace_seconds: float,
        keep_directory: bool,
    ) -> None:
        """Follow the run in ``directory``; ``connection`` is None for a run that another worker began."""
        self._process = process
        self._directory = directory
        self._connection = connection
        self._scrub = scrub
        self._grace = grace_seconds
        self._deadline = deadline_seconds
        self._keep = keep_directory
        self._stopped: EngineOutcome | None = None
        self._kill_at = 0.0
        self._exit: dict[str, Any] = {}

    @property
    def process(self) -> EngineProcess:
        """Identity of the child."""
        return self._process

    def wait(self, on_event: Callable[[EngineEvent], None], poll: Callable[[], bool]) -> EngineResult:
        """Let the engine begin and block until it ends, passing each event on; see ``EngineRun.wait``."""
        self._begin()
        try:
            self._follow(on_event, poll)
            return self._finish()
        finally:
            self.abandon()

    def _follow(self, on_event: Callable[[EngineEvent], None], poll: Callable[[], bool]) -> None:
        narrator = Narrator(self._scrub, time.monotonic)
        tail = EventTail(self._directory)
        next_poll = time.monotonic() + _POLL_SECONDS
        ended = False
        while not ended:
            ended = self._ended()
            for event in tail.read():
                if (told := narrator.tell(event)) is not None:
                    on_event(told)
            if not ended and time.monotonic() >= next_poll:
                self._enforce(poll)
                next_poll = time.monotonic() + _POLL_SECONDS
        tail.close()

    def abandon(self) -> None:
        """Let go of the run; a child that has not begun sees that nobody will say go, and ends."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin(self) -> None:
        self._kill_at = time.monotonic() + self._deadline + self._grace + _MARGIN_SECONDS
        if self._connection is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                self._connection.sendall(GO)

    def _ended(self) -> bool:
        """Wait a moment for the end; True once no process of the run is left."""
        if self._connection is None:
            if not is_alive(self._process):
                return True
            time.sleep(_TICK_SECONDS)
            return False
        if not select.select([self._connection], [], [], _TICK_SECONDS)[0]:
            return False
        with suppress(ConnectionResetError):
            line = read_line(self._connection)
            self._exit = json.loads(line) if line else {}
        self._connection.close()
        self._connection = None  # with no report the host is gone; then the process table tells
        return bool(self._exit) and not is_alive(self._process)

    def _enforce(self, poll: Callable[[], bool]) -> None:
        now = time.monotonic()
        if self._stopped is None and not poll():
            self._stopped = EngineOutcome.CANCELLED
            self._kill_at = now + self._grace + _MARGIN_SECONDS
            interrupt(self._process)
        if now >= self._kill_at:
            self._stopped = self._stopped or EngineOutcome.DEADLINE
            kill_session(self._process)

    def _finish(self) -> EngineResult:
        kill_session(self._process)
        result = self._directory.read_result() or self._without_result()
        if result.outcome is EngineOutcome.SUCCEEDED and not self._keep:
            shutil.rmtree(self._directory.path, ignore_errors=True)
        return replace(result, cpu_seconds=max(result.cpu_seconds, self._exit.get("cpu_seconds", 0.0)))

    def _without_result(self) -> EngineResult:
        """Say what became of a child that could not say it itself."""
        if self._stopped is EngineOutcome.DEADLINE:
            return EngineResult(self._stopped, failure=errors.deadline(self._deadline))
        code = self._exit.get("exit", -9)
        failure = errors.of_command(code, self._log_tail(), self._scrub)
        return EngineResult(self._stopped or EngineOutcome.FAILED, failure=failure)

    def _log_tail(self) -> str:
        with suppress(FileNotFoundError):
            return (self._directory.path / "engine.log").read_text(errors="replace")[-_LOG_BYTES:]
        return ""
