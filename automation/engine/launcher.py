"""Starts and stops the fork server: done once by the worker's parent process."""

import logging
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from automation.engine.contract import EngineUnavailable

_LOG = logging.getLogger(__name__)
DEFAULT_PRELOAD = ("stacks.workload.preload", "automation.engine.programs")
_STOP_SECONDS = 5.0
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "TMPDIR", "VIRTUAL_ENV")


class EngineHost:
    """The fork server as a context; ``socket`` is what ``EngineSettings`` wants.

    It ends by itself when this process does, however that ends.
    """

    def __init__(self, preload: Sequence[str] = DEFAULT_PRELOAD, environment: Mapping[str, str] | None = None) -> None:
        """Choose the modules that children find imported, and additions to the host's small environment."""
        self._preload = preload
        inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._environment = {**inherited, **(environment or {})}
        self._directory: Path | None = None
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()

    @property
    def socket(self) -> Path:
        """Where the started host listens, in a directory that only its owner can enter."""
        if self._directory is None:
            raise EngineUnavailable("the engine host is not started")
        return self._directory / "host.sock"

    @property
    def pid(self) -> int:
        """The started host's process number."""
        if self._process is None:
            raise EngineUnavailable("the engine host is not started")
        return self._process.pid

    def start(self) -> Self:
        """Start the host and block until it takes requests: the time its imports take, about two seconds.

        Raises:
            EngineUnavailable: if it ends instead; its standard error is this process's and says why.
        """
        self._directory = Path(tempfile.mkdtemp(prefix="slipway-engine-"))
        self._owner = os.getpid()
        self._stopping.clear()
        try:
            self._spawn()
        except EngineUnavailable:
            self.stop()
            raise
        return self

    def guard(self, when_lost: Callable[[], None]) -> None:
        """Watch the started host from a thread: one that ends by itself is started again, at the same address.

        Until then no operation can begin, and those that are told so are tried again; engines at work live on. If it
        cannot be started again, ``when_lost`` is called: whoever depends on it should end, to be started anew.
        """
        threading.Thread(target=self._guard, args=(when_lost,), name="engine-host-guard", daemon=True).start()

    def _guard(self, when_lost: Callable[[], None]) -> None:
        # ``stop`` takes the process away meanwhile: what is watched is held on to.
        while not self._stopping.is_set() and (process := self._process) is not None:
            try:
                descriptor = os.pidfd_open(process.pid)
            except ProcessLookupError:
                pass  # it has ended, and was waited for
            else:
                select.select([descriptor], [], [])
                os.close(descriptor)
            if self._stopping.is_set():
                return
            _LOG.error("the engine host has ended by itself; starting it again")
            process.wait()
            self.socket.unlink(missing_ok=True)
            try:
                self._spawn()
            except EngineUnavailable:
                _LOG.exception("the engine host cannot be started again")
                when_lost()
                return

    def _spawn(self) -> None:
        preload = [part for module in self._preload for part in ("--preload", module)]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "automation.engine.host",
                "--socket",
                str(self.socket),
                "--parent",
                str(os.getpid()),
                *preload,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._environment,
            cwd="/",
            start_new_session=True,
        )
        output = self._process.stdout
        if output is None or not output.readline():
            raise EngineUnavailable("the engine host ended while it was starting; its error output says why")
        output.close()

    def stop(self) -> None:
        """Have the host take no more requests and end; children at work are left to end by themselves.

        Does nothing in a process that was forked from the one that started it.
        """
        if os.getpid() != self._owner:
            return
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):  # it waits for a child, and ends with the last one
                self._process.wait(_STOP_SECONDS)
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
