"""The system that is to suffer: its processes can be killed and started again one by one. All calls block."""

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from redis import Redis, RedisError
from sqlalchemy import text

from api.db.session import Database, connect
from automation.embedded.environment import for_worker
from automation.embedded.servers import postgres_service, redis_service
from automation.embedded.services import worker_service
from automation.embedded.supervisor import Supervisor, kill_tree
from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.document import LabDocument
from lab.faults.client import LabControl
from lab.truth import Truth

SETTINGS: Mapping[str, str] = {
    "SLIPWAY_LEASE_SECONDS": "4",
    "SLIPWAY_SWEEP_SECONDS": "1",
    "SLIPWAY_RECONCILE_SECONDS": "5",
    "SLIPWAY_RECHECK_PAYMENT_SECONDS": "5",
    "SLIPWAY_RETRY_BASE_SECONDS": "0.5",
    "SLIPWAY_OPERATION_LIFETIME_SECONDS": "300",
    "SLIPWAY_REQUESTS_PER_MINUTE": "100000",
    "SLIPWAY_LOGINS_PER_MINUTE": "1000",
}
"""Time runs faster than in production, so that a lease can lapse between two faults; nothing else differs."""
_CHANGING = frozenset({"up", "destroy", "refresh"})
_WORKERS = 2
_PLUGIN = "pulumi-resource-"


@dataclass
class Rig:
    """A running system with the lab behind it.

    Attributes:
        home: the system's folder.
    """

    system: EmbeddedSystem
    supervisor: Supervisor
    document: LabDocument
    lab: LabControl
    truth: Truth
    database: Database
    home: Path
    _replaced: dict[str, Supervisor] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def pid(self, service: str) -> int:
        """Return the process at the head of a service's tree."""
        replaced = self._replaced.get(service)
        return self.system.processes[service] if replaced is None else replaced.pids()[service]

    def worker_children(self) -> list[psutil.Process]:
        """Return the processes below the worker that carry tasks out: the ones Celery forked."""
        with suppress(psutil.NoSuchProcess):
            return [
                process
                for process in psutil.Process(self.pid("worker")).children(recursive=True)
                if _runs(process, "celery") and _runs(process.parent(), "celery")
            ]
        return []

    def engines(self) -> list[psutil.Process]:
        """Return the ``pulumi`` processes that change something now."""
        return [process for process in self._below_worker() if _engine_stack(process) is not None]

    def plugins(self) -> list[psutil.Process]:
        """Return the provider plugins at work now."""
        return [process for process in self._below_worker() if _runs(process, _PLUGIN)]

    def engines_by_stack(self) -> dict[str, int]:
        """Return how many engines change each stack now, on the whole machine's word and not on ours."""
        found: dict[str, int] = {}
        for process in psutil.process_iter():
            stack = _engine_stack(process)
            if stack is not None:
                found[stack] = found.get(stack, 0) + 1
        return found

    def cut_power_of_worker(self) -> None:
        """Kill the worker with all that hangs on it, engines included, and start another."""
        self._kill("worker")
        name = f"chaos-{next(self._numbers)}@{os.getpid()}"
        self._start("worker", worker_service(for_worker(self.system.settings), name, _WORKERS))

    def restart_redis(self) -> None:
        """Kill Redis and start it again on the same data."""
        self._kill("redis")
        service, _ = redis_service(self.system.home.redis)
        self._start("redis", service)

    def restart_postgres(self) -> None:
        """Kill PostgreSQL with both databases and start it again: it recovers from its log."""
        self._kill("postgres")
        self._start("postgres", postgres_service(self.system.home.postgres).service)

    def flush_redis(self) -> None:
        """Lose all hints and all counters."""
        with closing(Redis.from_url(self.system.settings["REDIS_URL"])) as redis, suppress(RedisError):
            redis.flushall()

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Read from the application's database."""
        with self.database.transaction() as transaction:
            return [tuple(row) for row in transaction.session.execute(text(query), values)]

    def _kill(self, service: str) -> None:
        kill_tree(self.pid(service))
        replaced = self._replaced.pop(service, None)
        if replaced is not None:
            replaced.stop()

    def _start(self, name: str, service: Any) -> None:
        supervisor = Supervisor(self.home / "chaos" / f"{name}-{next(self._numbers)}")
        self._replaced[name] = supervisor
        supervisor.start(service)

    def stop_replaced(self) -> None:
        """Stop what was started in place of what was killed; the stores last."""
        for name in ("worker", "redis", "postgres"):
            replaced = self._replaced.pop(name, None)
            if replaced is not None:
                replaced.stop()

    def _below_worker(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid("worker")).children(recursive=True)
        return []


@contextmanager
def frozen(process: psutil.Process, seconds: float) -> Iterator[None]:
    """Stop a process for the length of a block and ``seconds`` more, then let it go on."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
        time.sleep(seconds)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


@contextmanager
def start_rig(home: Path, report: Any) -> Iterator[Rig]:
    """Start the system, the lab and a connection to each; blocks for about fifteen seconds."""
    with ExitStack() as stack:
        options = SystemOptions(lab_options=("--nodes=game=1,bot=1,cloud=2", "--pool-size=120"), workers=_WORKERS)
        environment = {**os.environ, **SETTINGS}
        system = stack.enter_context(EmbeddedSystem(home, options, environment=environment, report=report))
        if system.lab_document is None:
            raise RuntimeError("chaos needs the lab")
        document = LabDocument.load(system.lab_document)
        rig = Rig(
            system,
            stack.enter_context(Supervisor(home / "chaos")),
            document,
            stack.enter_context(LabControl(document)),
            stack.enter_context(closing(Truth(document))),
            stack.enter_context(closing(connect(system.settings["DATABASE_URL"]))),
            home,
        )
        stack.callback(rig.stop_replaced)
        yield rig


def _runs(process: psutil.Process | None, word: str) -> bool:
    try:
        return process is not None and any(word in part for part in process.cmdline()[:6])
    except psutil.Error:
        return False


def engine_stack(words: Sequence[str]) -> str | None:
    """Return the stack that a command line changes as a Pulumi CLI; None if it is none, or only looks."""
    if not words or Path(words[0]).name != "pulumi" or not _CHANGING.intersection(words[1:3]):
        return None
    if "--preview-only" in words or "--stack" not in words:
        return None
    return words[words.index("--stack") + 1].rpartition("/")[2]


def _engine_stack(process: psutil.Process) -> str | None:
    try:
        return engine_stack(process.cmdline())
    except psutil.Error:
        return None
