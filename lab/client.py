"""Starting a lab from Python: :func:`start` for tests and tools."""

import contextlib
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.document import LabDocument
from lab.faults.client import LabControl
from lab.platform_env import platform_environment
from lab.running import DOCUMENT, ESTATE
from lab.supervisor import LabError
from lab.truth import Truth

START_TIMEOUT = 90.0
"""Seconds until the lab must be ready."""

STOP_TIMEOUT = 20.0
"""Seconds that the lab has to end."""


@dataclass(frozen=True)
class RunningLab:
    """A lab that serves: its documents, its faults and what is really there."""

    state_dir: Path
    process: subprocess.Popen[bytes]
    document: LabDocument
    faults: LabControl
    truth: Truth

    @property
    def estate_path(self) -> Path:
        """The inventory document for Slipway."""
        return self.state_dir / ESTATE

    @property
    def platform(self) -> dict[str, str]:
        """The variables of ``platform.env``: what the engine of a platform stack needs."""
        return platform_environment(self.document)


@contextlib.contextmanager
def start(state_dir: Path, **options: Any) -> Iterator[RunningLab]:
    """A lab in a child process for the length of a ``with`` block. Blocks until it serves.

    Args:
        state_dir: where ``lab.json`` and ``estate.json`` go; an earlier lab's folder keeps its addresses.
        options: the command's options, as in ``nodes="cloud=1"``, ``pool_size=10``, ``bare=True``.

    Raises:
        LabError: if it does not start, with what it said.
    """
    arguments = [_argument(name.replace("_", "-"), value) for name, value in options.items()]
    command = [sys.executable, "-m", "lab", f"--state-dir={state_dir}", *arguments]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        try:
            if not _said_ready(process):
                errors.seek(0)
                raise LabError(f"the lab did not start: {errors.read().decode(errors='replace').strip()}")
            document = LabDocument.load(state_dir / DOCUMENT)
            with contextlib.ExitStack() as stack:
                control, truth = LabControl(document), Truth(document)
                stack.callback(control.close)
                stack.callback(truth.close)
                yield RunningLab(state_dir, process, document, control, truth)
        finally:
            _stop(process)


def _argument(name: str, value: Any) -> str:
    return f"--{name}" if value is True else f"--{name}={value}"


def _said_ready(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None  # noqa: S101 - asked for a pipe
    deadline = time.monotonic() + START_TIMEOUT
    readable, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
    return bool(readable) and process.stdout.readline().startswith(b"lab ready")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
