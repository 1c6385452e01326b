"""The folder of one embedded system: its data, logs and generated secrets, used by one process at a time."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from platformdirs import user_data_path

from automation.embedded.errors import HomeError

_MAX_PATH = 80
"""Bytes: a socket's address has 107 on Linux (unix(7)), 103 on macOS, and the longest name below here takes 23."""

PLATFORM = "platform.env"
"""What an engine needs for the platform stacks; the lab's folder has one of its own."""


class Home:
    """Paths below one folder, and the lock that keeps a second system out of it."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none.

        Raises:
            HomeError: if it cannot be made or written to.
        """
        self.path = path.expanduser().resolve()
        if len(os.fsencode(self.path)) > _MAX_PATH:
            raise HomeError(
                f"{self.path}: longer than {_MAX_PATH} bytes, and servers listen on unix sockets inside; "
                "give a folder with a shorter path with --home or SLIPWAY_HOME"
            )
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise HomeError(
                f"{self.path}: {error.strerror}; give another folder with --home or SLIPWAY_HOME"
            ) from error
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.redis = self.path / "redis"
        self.lab = self.path / "lab"
        self.work = self.path / "work"
        self.schedule = self.path / "schedule"
        self.secrets = self.path / "secrets.env"
        self.system = self.path / "system.json"
        self.platform = self.path / PLATFORM

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the folder for this process; yields whether the one before ended without tidying up.

        The kernel drops the lock with its process, so a crash cannot leave the folder locked; the number in the
        file only names who holds it.

        Raises:
            HomeError: naming the process that holds it.
        """
        handle = os.open(self.path / "up.pid", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            before = os.read(handle, 32).decode().strip()
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeError(
                    f"{self.path}: `slipway up` already runs here as process {before or 'unknown'}; "
                    "stop it, or give another folder with --home"
                ) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield bool(before)
            os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def read_secrets(self) -> dict[str, str]:
        """The secrets kept from earlier starts; empty on the first."""
        return {name: value for name, value in dotenv_values(self.secrets, interpolate=False).items() if value}

    def keep_secrets(self, values: Mapping[str, str]) -> None:
        """Store secrets, for this user's eyes only."""
        lines = ["# Made by `slipway up`. Whoever loses the master key loses every stored credential."]
        lines += [f"{name}={_quoted(value)}" for name, value in sorted(values.items())]
        write_private(self.secrets, "\n".join(lines) + "\n")

    def write_system(self, document: Mapping[str, Any]) -> None:
        """Store how the running system is reached, for programs of the same user."""
        write_private(self.system, json.dumps(document, indent=2) + "\n")


def default_home() -> Path:
    """``SLIPWAY_HOME``, else the user's data folder."""
    given = os.environ.get("SLIPWAY_HOME")
    return Path(given) if given else user_data_path("slipway")


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _quoted(value: str) -> str:
    """Quote a value for a dotenv file: within single quotes only the quote and the backslash are special."""
    escaped = value.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"
