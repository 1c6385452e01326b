"""Starts services one after the other, notices when one dies, and stops them in reverse order."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from automation.embedded.errors import EmbeddedError

_POLL_SECONDS = 0.05
_LOG_LINES = 15
_KEEPER_SECONDS = 8.0
"""What a keeper needs beyond its grace: its own steps from asking to killing, on a busy machine."""


@dataclass(frozen=True)
class Service:
    """A process to keep running.

    Attributes:
        name: what it is called in messages, and the name of its log file.
        command: program and arguments; no secret belongs here, every user of the machine can read it.
        environment: the whole environment.
        is_ready: asked until it says True; must not block for long, and raises nothing but OSError.
        ready_seconds: how long it may take to become ready.
        stop_signal: how this program is asked to end.
        grace_seconds: how long it may take to end before it is ended by force.
        user: whose rights it gets; None keeps ours.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    is_ready: Callable[[], bool]
    ready_seconds: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    user: str | None = None


class ServiceFailedError(EmbeddedError):
    """A service did not start, or ended by itself; the message holds its last log lines."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        tail = "\n".join(f"  | {line}" for line in log_tail(log)) or "  | (nothing)"
        super().__init__(f"{name} {what}. The end of {log}:\n{tail}")
        self.service = name


@dataclass
class _Running:
    service: Service
    keeper: subprocess.Popen[bytes]
    log: Path
    deadline: float
    was_ready: bool = False


class Supervisor:
    """The services that run now. A context manager: leaving it stops them all."""

    def __init__(self, log_directory: Path) -> None:
        log_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_directory = log_directory
        self._running: list[_Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *services: Service) -> None:
        """Start services at once and block until all that were ever started are ready; see ``launch``."""
        for service in services:
            self.launch(service)
        self.await_ready()

    def launch(self, service: Service) -> None:
        """Start a service without waiting for it."""
        log = self._log_directory / f"{service.name}.log"
        deadline = time.monotonic() + service.ready_seconds
        self._running.append(_Running(service, _spawn_keeper(service, log), log, deadline))

    def await_ready(self) -> None:
        """Block until every service is ready.

        Raises:
            ServiceFailedError: if one ends before that, or takes too long; the others keep running.
        """
        while waiting := [running for running in self._running if not running.was_ready]:
            for running in waiting:
                running.was_ready = _is_ready(running.service)
                _raise_if_ended(running, "ended before it was ready")
                if not running.was_ready and time.monotonic() > running.deadline:
                    seconds = f"{running.service.ready_seconds:.0f} s"
                    raise ServiceFailedError(running.service.name, f"was not ready after {seconds}", running.log)
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Tell whether all services still run.

        Raises:
            ServiceFailedError: naming the first that does not.
        """
        for running in self._running:
            _raise_if_ended(running, "ended by itself")

    def pids(self) -> dict[str, int]:
        """The keeper of each running service."""
        return {running.service.name: running.keeper.pid for running in self._running}

    def stop(self) -> None:
        """Stop every service, the last started first; blocks until all are gone.

        Signals are held off: a second Ctrl-C must not leave half of them running.
        """
        with _signals_held():
            while self._running:
                _stop(self._running.pop())


def log_tail(log: Path, lines: int = _LOG_LINES) -> list[str]:
    """The last lines of a log file; none if there is no such file."""
    try:
        return log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def _spawn_keeper(service: Service, log: Path) -> "subprocess.Popen[bytes]":
    options = ["--stop-signal", service.stop_signal.name, "--grace", str(service.grace_seconds)]
    if service.user is not None:
        options += ["--user", service.user]
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))  # a log tells of one run, and the one before is kept
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops in order.
        return subprocess.Popen(
            [sys.executable, "-m", "automation.embedded.keeper", *options, "--", *service.command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(service.environment),
            start_new_session=True,
        )


def _is_ready(service: Service) -> bool:
    try:
        return service.is_ready()
    except OSError:
        return False


def _raise_if_ended(running: _Running, what: str) -> None:
    status = running.keeper.poll()
    if status is not None:
        raise ServiceFailedError(running.service.name, f"{what} (exit status {status})", running.log)


def _stop(running: _Running) -> None:
    """End a keeper by its lifeline, and everything under it by force if it does not manage in time."""
    keeper = running.keeper
    if keeper.stdin is not None:
        with suppress(BrokenPipeError):
            keeper.stdin.close()
    try:
        keeper.wait(running.service.grace_seconds + _KEEPER_SECONDS)
    except subprocess.TimeoutExpired:
        kill_tree(keeper.pid)
        keeper.wait()


def kill_tree(pid: int) -> None:
    """Kill a process and all its descendants at once; nothing happens if there is no such process."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Leave Ctrl-C and SIGTERM pending for as long as the block runs."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
