"""The worker's composition root: ``celery -A automation.worker worker`` and ``… beat``.

The parent process starts the engine host and never imports pulumi; each forked child builds its own services, for
database connections do not survive a fork.
"""

import os
import signal
import time
from functools import cache

from celery import Celery
from celery.signals import worker_init, worker_process_init, worker_process_shutdown, worker_shutdown

from api.jobs import CeleryJobQueue, make_celery
from api.logs import configure_logging
from api.plans.versions import announce
from api.settings import WorkerSettings
from automation.engine.backend import prepare_state
from automation.engine.client import EngineSettings, ProcessEngine
from automation.engine.contract import EngineUnavailable
from automation.engine.launcher import EngineHost
from automation.engine.versions import program_versions
from automation.services import Engines, WorkerServices, build_services
from automation.tasks.registry import register
from automation.toolchain import find_toolchain

_WORKLOAD_PROGRAM = "automation.engine.programs:workload"
_PLATFORM_PROGRAM = "automation.engine.programs:platform"
_KEEP_RUNS_SECONDS = 7 * 86_400.0
"""How long the files of a failed engine run are kept for a look."""


class Worker:
    """One Celery worker: the parent's engine host, and each child's services."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.settings = settings
        self.app: Celery = make_celery(settings.redis_url.get_secret_value())
        self._toolchain = find_toolchain()
        self._versions = program_versions(self._toolchain)
        self._host = EngineHost()
        self._services: WorkerServices | None = None
        register(self.app, self.services, settings)
        # Weak references would be collected at once: the methods are bound for the worker's whole life.
        worker_init.connect(self._start_host, weak=False)
        worker_process_init.connect(self._start_child, weak=False)
        worker_process_shutdown.connect(self._stop_child, weak=False)
        worker_shutdown.connect(self._stop_host, weak=False)

    def services(self) -> WorkerServices:
        """Return this process's services, built on first use."""
        if self._services is None:
            engines = Engines(workload=self._engine(), platform=self._engine(_PLATFORM_PROGRAM))
            self._services = build_services(self.settings, engines, CeleryJobQueue(self.app), self._versions)
        return self._services

    def _engine(self, program: str = _WORKLOAD_PROGRAM) -> ProcessEngine:
        """Return an engine for a program; all share the one host, whose children import what they lack."""
        toolchain = self._toolchain
        return ProcessEngine(
            EngineSettings(
                socket=self._host.socket,
                pulumi=toolchain.pulumi,
                toolchain=toolchain.environment(),
                plugins=toolchain.home / "plugins",
                program=program,
            )
        )

    def _start_host(self, **_: object) -> None:
        """Get ready for operations, or end: Celery would only log an error here, and then fail each of them."""
        work_root = self.settings.work_root
        work_root.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            prepare_state(self._toolchain.pulumi, self.settings.state_database_url.get_secret_value())
            self._host.start()
            self._host.guard(_end)
        except EngineUnavailable as error:
            raise SystemExit(f"the worker cannot start: {error}") from error
        self._engine().sweep(work_root, _KEEP_RUNS_SECONDS, time.time())

    def _stop_host(self, **_: object) -> None:
        self._host.stop()

    def _start_child(self, **_: object) -> None:
        configure_logging()
        with self.services().database.transaction() as transaction:
            announce(transaction.session, self._versions)

    def _stop_child(self, **_: object) -> None:
        if self._services is not None:
            self._services.database.close()


def _end() -> None:
    """End the worker as an operator would, so that whoever runs it starts it anew."""
    os.kill(os.getpid(), signal.SIGTERM)


@cache
def __getattr__(name: str) -> Celery:
    """Build the application when Celery asks for ``app``: importing this module alone needs no settings."""
    if name != "app":
        raise AttributeError(name)
    return Worker(WorkerSettings()).app
