"""A run's private directory: what it holds, and reading the event log while it grows."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from automation.engine.contract import (
    EngineFailure,
    EngineJob,
    EngineOutcome,
    EngineProcess,
    EngineResult,
)

_EVENTS_SUFFIX = ".events.jsonl"
_COMMAND_SUFFIX = ".command"
_LOCKS_WITHIN = timedelta(minutes=5)
"""The CLI takes its lock seconds after its start; the rest is for clocks that disagree."""


@dataclass(frozen=True, slots=True)
class StartedCommand:
    """A command of the CLI that an engine of this host started."""

    pid: int
    at: datetime

    def took(self, pid: int, at: datetime) -> bool:
        """Tell whether a lock of this process and time is the command's."""
        return pid == self.pid and abs(at - self.at) <= _LOCKS_WITHIN


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths of one engine run, below ``work_root``; readable by its owner only."""

    path: Path

    @classmethod
    def of(cls, job: EngineJob, purpose: str = "") -> "RunDirectory":
        """Name the directory of a job: operation and fence, so that each attempt has its own."""
        suffix = f"-{purpose}" if purpose else ""
        return cls(job.work_root / f"{job.operation_id}-{job.fence}{suffix}")

    @property
    def home(self) -> Path:
        """``HOME`` of the engine's processes."""
        return self.path / "home"

    @property
    def temporary(self) -> Path:
        """``TMPDIR`` of the engine's processes."""
        return self.path / "tmp"

    @property
    def pulumi_home(self) -> Path:
        """``PULUMI_HOME``: the CLI's own logs and settings, private so that runs cannot disturb each other."""
        return self.path / "pulumi"

    def create(self, plugins: Path | None) -> None:
        """Make the directory and its parts.

        Args:
            plugins: a shared folder of installed provider plugins, linked into the private ``PULUMI_HOME``.

        Raises:
            FileExistsError: if this attempt ran before.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)
        for part in (self.home, self.temporary, self.pulumi_home):
            part.mkdir(mode=0o700)
        if plugins is not None and plugins.is_dir():
            (self.pulumi_home / "plugins").symlink_to(plugins, target_is_directory=True)

    def next_file(self, name: str) -> Path:
        """Return a numbered path for a command's files: their names sort in the order the commands ran."""
        number = sum(1 for _ in self.path.glob("[0-9][0-9][0-9]-*")) + 1
        return self.path / f"{number:03d}-{name}"

    def next_event_log(self, name: str) -> Path:
        """Return the path of the next event log, and make it, so that a reader knows its place in the order."""
        path = self.next_file(name + _EVENTS_SUFFIX)
        path.touch(mode=0o600)
        return path

    def note_command(self, pid: int) -> None:
        """Remember that a command of the CLI was started, so that its lock can be told from others' locks."""
        (self.path / f"{pid}{_COMMAND_SUFFIX}").touch(mode=0o600)

    def remark(self, message: str, **data: Any) -> None:
        """Add a line of our own to the event log."""
        self.next_event_log("remark").write_text(json.dumps({"remark": {"message": message, "data": data}}) + "\n")

    def event_logs(self) -> list[Path]:
        """Return the event logs in the order in which they are written, one after the other."""
        return sorted(self.path.glob("*" + _EVENTS_SUFFIX))

    def write_process(self, process: EngineProcess) -> None:
        """Record who works here."""
        self._write("process.json", asdict(process))

    def read_process(self) -> EngineProcess | None:
        """Return who works, or worked, here."""
        document = self._read("process.json")
        return EngineProcess(**document) if document else None

    def write_result(self, result: EngineResult) -> None:
        """Record how the run ended."""
        self._write("result.json", asdict(result))

    def read_result(self) -> EngineResult | None:
        """Return how the run ended, or None if it has not, or was killed."""
        document = self._read("result.json")
        if document is None:
            return None
        failure = document.pop("failure")
        outcome = EngineOutcome(document.pop("outcome"))
        steps = tuple(document.pop("steps", ()))
        return EngineResult(outcome, failure=EngineFailure(**failure) if failure else None, steps=steps, **document)

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        scratch = self.path / f".{name}"
        scratch.write_text(json.dumps(document))
        os.replace(scratch, self.path / name)  # noqa: PTH105 - the same call, told apart from str.replace at a glance

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            document: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return None
        return document


class EventTail:
    """Reads the event logs of a run as they grow, each event once."""

    def __init__(self, directory: RunDirectory) -> None:
        """Begin at the first event of the run."""
        self._directory = directory
        self._file: BinaryIO | None = None
        self._done: set[Path] = set()
        self._partial = b""

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the events that have been written since the last call; never waits.

        Commands run one after the other, so a log is complete once there is a later one.
        """
        logs = [path for path in self._directory.event_logs() if path not in self._done]
        for path in logs:
            yield from self._lines(path)
            if path != logs[-1]:
                self.close()
                self._done.add(path)

    def close(self) -> None:
        """Close the log that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lines(self, path: Path) -> Iterator[dict[str, Any]]:
        if self._file is None:
            self._file = path.open("rb")
        while chunk := self._file.readline():
            self._partial += chunk
            if self._partial.endswith(b"\n"):
                line, self._partial = self._partial, b""
                yield json.loads(line)


def started_commands(work_root: Path) -> Iterator[StartedCommand]:
    """Yield the commands whose runs' directories are still there: of those that failed, were killed, or are at work."""
    for path in work_root.glob(f"*/*{_COMMAND_SUFFIX}"):
        with suppress(FileNotFoundError):  # its run has just ended well
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            yield StartedCommand(int(path.name.removesuffix(_COMMAND_SUFFIX)), at)
