"""Starts the stand-ins as child processes, waits until all serve, and takes all of them down again."""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel

START_TIMEOUT = 60.0
"""Seconds until a stand-in must have said that it serves; a busy machine needs several for the imports."""

STOP_TIMEOUT = 10.0
"""Seconds between asking a stand-in to end and killing it."""


class LabError(Exception):
    """The lab cannot start or has broken; the message says what to do."""


class StandIn:
    """One child process, ``python -m MODULE``, whose standard error goes to a log file."""

    def __init__(self, module: str, settings: BaseModel, log: Path) -> None:
        self.module = module
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdin is not None  # noqa: S101 - asked for a pipe two lines above
        with contextlib.suppress(BrokenPipeError):  # a child that is dead already is reported by wait_until_serving
            self.process.stdin.write(settings.model_dump_json().encode() + b"\n")
            self.process.stdin.flush()

    def wait_until_serving(self, deadline: float) -> dict[str, int]:
        """The ports that the child announces. Blocks until ``deadline`` (of :func:`time.monotonic`)."""
        assert self.process.stdout is not None  # noqa: S101 - asked for a pipe in the constructor
        ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise LabError(f"{self.module} did not start; its log {self._log} ends:\n{self.log_tail()}")
        ports: dict[str, int] = json.loads(line)
        return ports

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the child's log, for an error message."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, deadline: float) -> None:
        """Ask the child to end, and kill it at the deadline. Returns once it is gone."""
        self.process.terminate()
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Supervisor:
    """The set of running stand-ins. A context manager: leaving it ends every child."""

    def __init__(self, log_dir: Path) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self._log_dir = log_dir
        self.children: list[StandIn] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, settings: dict[str, BaseModel], seconds: float = START_TIMEOUT) -> dict[str, dict[str, int]]:
        """Start one child a module, all at once, and return the ports of each. Blocks until all serve.

        Raises:
            LabError: if one does not come up in time.
        """
        started: list[StandIn] = []
        for module, model in settings.items():
            log = self._log_dir / f"{module.rsplit('.', 1)[-1]}.log"
            started.append(StandIn(module, model, log))
            self.children.append(started[-1])
        deadline = time.monotonic() + seconds
        return {child.module: child.wait_until_serving(deadline) for child in started}

    def failed(self) -> StandIn | None:
        """A child that has ended by itself, or None while all run."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def stop(self) -> None:
        """End every child, the last started first."""
        deadline = time.monotonic() + STOP_TIMEOUT
        for child in self.children:
            child.process.terminate()
        while self.children:
            self.children.pop().stop(deadline)


@contextlib.contextmanager
def exclusive(state_dir: Path) -> Iterator[None]:
    """Hold the state folder for this process, so that two labs cannot share one.

    Raises:
        LabError: if another lab holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(state_dir / "lab.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"{state_dir}: a lab already runs here; stop it or give another --state-dir") from error
        yield
    finally:
        os.close(handle)
