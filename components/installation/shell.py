"""Root's shell in a rescue system, over SSH. Every call opens a connection and blocks until the command has ended."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncssh

from components.installation.errors import HostKeyMismatchError, InstallationError, RescueSilentError

CONNECTING = 10.0
"""Seconds until a machine must have answered."""
COMMAND = 60.0
"""Seconds that one command may take; what takes longer is started and looked at again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


class Shell(Protocol):
    """Runs commands as root."""

    def run(self, command: str, stdin: str = "") -> Ended:
        """Run a command, and return how it ended.

        Raises:
            RescueSilentError: nobody answers, or the connection was lost: the command may have run.
            HostKeyMismatchError: it is somebody else; nothing was sent.
            InstallationError: our key is not let in.
        """


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rescue system listens, and who it is.

    Attributes:
        host_keys: MD5 fingerprints, as Robot names them; None: whatever key it has is taken.
    """

    host: str
    port: int
    host_keys: frozenset[str] | None


class RescueShell:
    """A :class:`Shell` at a place.

    Args:
        place: where.
        key: our private key: its file, or the key itself.
        seconds: how long one command may take.
    """

    def __init__(self, place: Place, key: Path | asyncssh.SSHKey, *, seconds: float = COMMAND) -> None:
        self._place, self._key, self._seconds = place, key, seconds

    def run(self, command: str, stdin: str = "") -> Ended:
        """See :class:`Shell`."""
        return asyncio.run(self._run(command, stdin))

    async def _run(self, command: str, stdin: str) -> Ended:
        door = _Door(self._place.host_keys)
        where = f"{self._place.host}:{self._place.port}"
        try:
            async with (
                asyncio.timeout(CONNECTING + self._seconds),
                asyncssh.connect(
                    self._place.host,
                    self._place.port,
                    username="root",
                    client_keys=[str(self._key) if isinstance(self._key, Path) else self._key],
                    known_hosts=([], [], []),  # none is trusted, so the door is asked
                    client_factory=lambda: door,
                    agent_path=None,
                    config=None,
                    connect_timeout=CONNECTING,
                ) as connection,
            ):
                done = await connection.run(command, input=stdin, check=False)
        except asyncssh.HostKeyNotVerifiable:
            known = ", ".join(sorted(self._place.host_keys or ())) or "none"
            raise HostKeyMismatchError(
                f"{where} answers SSH with the host key {door.seen}, and Robot names {known} for its rescue system: "
                "nothing was sent. Another system runs there, or somebody is between us and it"
            ) from None
        except asyncssh.PermissionDenied:
            key = f" ({self._key.name})" if isinstance(self._key, Path) else ""
            raise InstallationError(f"{where}: the rescue system does not let our key in{key}") from None
        except (OSError, TimeoutError, asyncssh.Error) as error:
            raise RescueSilentError(f"{where} does not answer SSH: {type(error).__name__} {error}".strip()) from None
        if done.exit_status is None:
            raise RescueSilentError(f"{where}: the connection was lost")
        return Ended(done.exit_status, str(done.stdout or ""), str(done.stderr or ""))


def md5_fingerprint(key: Path) -> str:
    """Return the fingerprint of a key file's public half as Robot writes it."""
    return _fingerprint(_read(key))


def public_half(key: Path) -> str:
    """Return the public half of a private key's file, one line in OpenSSH's form."""
    return _read(key).export_public_key("openssh").decode().strip()


def _read(key: Path) -> asyncssh.SSHKey:
    try:
        return asyncssh.read_private_key(str(key))
    except (OSError, asyncssh.KeyImportError) as error:
        raise InstallationError(f"SLIPWAY_RESCUE_SSH_KEY: {key} is no private key that can be read: {error}") from None


def _fingerprint(key: asyncssh.SSHKey) -> str:
    return key.get_fingerprint("md5").removeprefix("MD5:")


class _Door(asyncssh.SSHClient):
    """Takes a host key that Robot has named, and remembers what it saw."""

    def __init__(self, host_keys: Collection[str] | None) -> None:
        self._host_keys = host_keys
        self.seen = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        del host, addr, port
        self.seen = _fingerprint(key)
        return self._host_keys is None or self.seen in self._host_keys
