"""The providers' credentials for platform runs: a file that is read at the moment of a run, and kept nowhere."""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path

from automation.engine.contract import EngineSecrets
from automation.engine.scrub import SHORTEST_SECRET, secret_values

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.DOTALL)
_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - a variable's name
_OURS = frozenset({"PULUMI_BACKEND_URL", "SLIPWAY_STATE_DATABASE_URL"})
"""Left out, for they are there for people at a terminal: which database holds the state is for our settings to say."""
_REFUSED = frozenset({"PATH", "HOME", "TMPDIR", "PULUMI_HOME", "PYTHONPATH", "LD_PRELOAD", "LD_LIBRARY_PATH"})
_LARGEST_BYTES = 256 * 1024


class PlatformEnvironmentError(Exception):
    """The file cannot be used; the message says why and what to do, and holds nothing of what is in it."""


def read_secrets(path: Path | None, backend_url: str) -> EngineSecrets:
    """Read what the engine of a platform stack needs and nobody may store; blocks for a moment.

    Args:
        path: of the file, ``NAME=value`` by line; only its owner, who must be us, may read it.
        backend_url: where the state is.

    Raises:
        PlatformEnvironmentError: if there is no such file, others may read it, or it is not what it should be.
    """
    if path is None:
        raise PlatformEnvironmentError(
            "SLIPWAY_PLATFORM_ENVIRONMENT_FILE is not set for this worker: see docs/admin.md, platform stacks"
        )
    variables = parse_environment(_read(path), path.name)
    passphrase = variables.pop(_PASSPHRASE, "")
    if not passphrase:
        raise PlatformEnvironmentError(f"{path.name} has no {_PASSPHRASE}: the stacks' secrets cannot be decrypted")
    kept = {name: value for name, value in variables.items() if name not in _OURS}
    return EngineSecrets(backend_url, passphrase, kept)


def parse_environment(text: str, name: str) -> dict[str, str]:
    """Return the variables of a file's text, which is read as a shell reads it; nothing is expanded.

    Raises:
        PlatformEnvironmentError: naming the line or the variable that is wrong.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in _words(line, f"{name}:{number}"):
            match = _ASSIGNMENT.fullmatch(word)
            if match is None:
                raise PlatformEnvironmentError(f"{name}:{number}: write NAME=value, a value with spaces in quotes")
            if match["name"] in _REFUSED:
                raise PlatformEnvironmentError(f"{name}:{number}: {match['name']} is the engine's own: leave it out")
            found[match["name"]] = match["value"]
    _check_maskable(found, name)
    return found


def _check_maskable(variables: Mapping[str, str], name: str) -> None:
    """Refuse a secret that is too short to be told from ordinary words: it could not be masked in output."""
    for variable, value in variables.items():
        if value and len(value) < SHORTEST_SECRET and secret_values({variable: value}):
            raise PlatformEnvironmentError(
                f"{name}: {variable} has fewer than {SHORTEST_SECRET} characters and could not be masked: change it"
            )


def _read(path: Path) -> str:
    """Read a file that nobody else can read, and look at the very file that is read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise PlatformEnvironmentError(f"{path} cannot be read: {error.strerror}") from None
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise PlatformEnvironmentError(f"{path} is no file")
    with os.fdopen(descriptor, encoding="utf-8") as file:
        if facts.st_uid != os.geteuid():
            raise PlatformEnvironmentError(f"{path} belongs to another user: `chown` it to the worker's")
        if stat.S_IMODE(facts.st_mode) & 0o177:
            raise PlatformEnvironmentError(f"{path} may be read by others: `chmod 600 {path}`")
        try:
            return file.read(_LARGEST_BYTES)
        except UnicodeDecodeError:
            raise PlatformEnvironmentError(f"{path} is no text") from None


def _words(line: str, place: str) -> list[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise PlatformEnvironmentError(f"{place}: a quotation mark is not closed") from None
    return words[1:] if words[:1] == ["export"] else words
