"""``ProcessEngine``: the worker's side of an engine operation. Imports no pulumi."""

import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automation.engine.contract import (
    EngineJob,
    EngineProcess,
    EngineSecrets,
    EngineUnavailable,
)
from automation.engine.environment import child_environment
from automation.engine.process import is_alive, kill_session
from automation.engine.run import ProcessRun
from automation.engine.rundir import RunDirectory
from automation.engine.scrub import Scrubber, secret_values
from automation.engine.wire import RECOVER, Limits, Request, read_line

_ANSWER_SECONDS = 30.0
_RECOVERY = "recovery"
_PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What all operations of a worker have in common.

    Attributes:
        socket: where the fork server listens; see ``EngineHost``.
        pulumi: path of the CLI.
        toolchain: environment that finds the CLI's plugins, ``PATH`` above all.
        plugins: folder of installed plugins (``PULUMI_HOME/plugins``), None where all are on the ``PATH``.
        project: the Pulumi project of all workloads. One for all: with many, each CLI start takes longer.
        program: ``module:name`` of a callable that makes the Pulumi program of a spec document.
        keep_directories: keep a run's directory even when it succeeded, for looking into.
    """

    socket: Path
    pulumi: Path
    toolchain: Mapping[str, str]
    plugins: Path | None = None
    project: str = "slipway"
    program: str = "automation.engine.programs:workload"
    limits: Limits = field(default_factory=Limits)
    keep_directories: bool = False


class ProcessEngine:
    """Runs each operation in a child process of the fork server."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings

    def start(self, job: EngineJob, secrets: EngineSecrets) -> ProcessRun:
        """Start a child process for ``job``; it holds still until ``wait`` is called on it.

        Raises:
            EngineUnavailable: if the fork server does not answer, or this attempt (operation and fence) ran before;
                a preview may be made again once the earlier one has ended.
        """
        directory = _directory(job)
        if job.action.is_preview:
            _clear(directory, f"operation {job.operation_id} is being previewed already")
        return self._launch(job, secrets, job.action.value, directory)

    def attach(self, job: EngineJob, secrets: EngineSecrets, process: EngineProcess) -> ProcessRun | None:
        """Take over a run that an earlier worker of this host began; None if nothing is known of it."""
        directory = _directory(job)
        if directory.read_process() != process:
            return None
        return self._run(job, secrets, directory, process, connection=None)

    def is_alive(self, process: EngineProcess) -> bool | None:
        """Tell whether any process of an engine still lives; None if it belongs to another host."""
        return is_alive(process)

    def terminate(self, process: EngineProcess) -> bool:
        """Kill an engine with all of its processes; True once none is left. Blocks up to ten seconds."""
        return is_alive(process) is not None and kill_session(process)

    def recover(self, job: EngineJob, secrets: EngineSecrets) -> ProcessRun:
        """Start a child that brings a dead engine's stack back to a state that ``start`` can work on.

        Raises:
            EngineUnavailable: if no child could be started, or a recovery is at work already.
        """
        directory = RunDirectory.of(job, _RECOVERY)
        _clear(directory, f"operation {job.operation_id} is being recovered already")
        return self._launch(job, secrets, RECOVER, directory)

    def abandoned(self, work_root: Path) -> Iterator[tuple[RunDirectory, EngineProcess]]:
        """Yield the runs below ``work_root`` that still have living processes.

        A worker that starts finds here the engines that an earlier one left at work.
        """
        for directory, process in _runs(work_root):
            if process is not None and is_alive(process):
                yield directory, process

    def sweep(self, work_root: Path, older_than_seconds: float, now: float) -> int:
        """Remove the directories of runs that have ended; returns how many.

        Args:
            work_root: where the jobs' directories are.
            older_than_seconds: keep younger ones: failures are worth a look.
            now: the time, in seconds since the epoch.
        """
        removed = 0
        for directory, process in _runs(work_root):
            if process is not None and is_alive(process):
                continue
            if now - directory.path.stat().st_mtime >= older_than_seconds:
                shutil.rmtree(directory.path, ignore_errors=True)
                removed += 1
        return removed

    def _launch(self, job: EngineJob, secrets: EngineSecrets, action: str, directory: RunDirectory) -> ProcessRun:
        settings = self._settings
        try:
            directory.create(settings.plugins)
        except FileExistsError:
            raise EngineUnavailable(f"operation {job.operation_id} was run with fence {job.fence} before") from None
        request = Request(
            job=job,
            action=action,
            directory=directory.path,
            project=settings.project,
            program=settings.program,
            pulumi=settings.pulumi,
            environment=child_environment(settings.toolchain, secrets, directory),
            limits=settings.limits,
        )
        connection, process = _ask(settings.socket, request)
        return self._run(job, secrets, directory, process, connection)

    def _run(
        self,
        job: EngineJob,
        secrets: EngineSecrets,
        directory: RunDirectory,
        process: EngineProcess,
        connection: socket.socket | None,
    ) -> ProcessRun:
        scrub = Scrubber([secrets.passphrase, secrets.backend_url, *secret_values(secrets.provider_environment)])
        return ProcessRun(
            process=process,
            directory=directory,
            connection=connection,
            scrub=scrub,
            deadline_seconds=job.deadline_seconds,
            grace_seconds=self._settings.limits.grace_seconds,
            keep_directory=self._settings.keep_directories,
        )


def _directory(job: EngineJob) -> RunDirectory:
    """Name a run's directory: an attempt looks before it works, and each has its own."""
    return RunDirectory.of(job, _PREVIEW if job.action.is_preview else "")


def _clear(directory: RunDirectory, refusal: str) -> None:
    """Remove what an ended run left in the place of one that may be made again.

    Raises:
        EngineUnavailable: with ``refusal``, if it is still at work.
    """
    if not directory.path.exists():
        return
    earlier = directory.read_process()
    if earlier is not None and is_alive(earlier):
        raise EngineUnavailable(refusal)
    shutil.rmtree(directory.path)


def _ask(path: Path, request: Request) -> tuple[socket.socket, EngineProcess]:
    """Have the fork server make a child; returns the connection to it, and who it is."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_ANSWER_SECONDS)
    try:
        connection.connect(str(path))
        connection.sendall(request.encode())
        answer = read_line(connection)
    except OSError as error:
        connection.close()
        raise EngineUnavailable(f"the engine host at {path} does not answer: {error}") from error
    if not answer:
        connection.close()
        raise EngineUnavailable("the engine child ended before it began; see the engine host's log")
    connection.settimeout(None)
    return connection, EngineProcess(**json.loads(answer))


def _runs(work_root: Path) -> Iterator[tuple[RunDirectory, EngineProcess | None]]:
    if work_root.is_dir():
        for path in sorted(work_root.iterdir()):
            if path.is_dir() and not path.is_symlink():
                directory = RunDirectory(path)
                yield directory, directory.read_process()
