"""Where the toolchain is kept: one folder a set of versions, in it one a Python interpreter."""

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from automation.toolchain.parts import PARTS

GO_SOURCES = Path(__file__).parent / "go"
CACHE_VARIABLE = "SLIPWAY_CACHE_DIR"


def cache_folder() -> Path:
    """Slipway's cache: ``$SLIPWAY_CACHE_DIR``, else the platform's place for caches (``~/.cache/slipway``)."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 -- 10 ms that plugins and children need not pay

    return user_cache_path("slipway")


def _digest(*parts: bytes) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:16]


def versions_digest(sources: Path = GO_SOURCES) -> str:
    """What the built programs depend on: versions, platform and our Go sources; other sources, other folder."""
    files = sorted(path for path in sources.rglob("*") if path.suffix in {".go", ".mod", ".sum"})
    return _digest(
        *(f"{part.name} {part.version}".encode() for part in PARTS),
        f"{platform.system()} {platform.machine()}".encode(),
        *(data for path in files for data in (path.relative_to(sources).as_posix().encode(), path.read_bytes())),
    )


def interpreter_digest(executable: str = sys.executable) -> str:
    """What the Python parts depend on: the interpreter, the place of this package, how launchers are written."""
    folder = Path(__file__).parent
    return _digest(os.fsencode(executable), os.fsencode(folder), (folder / "launchers.py").read_bytes())


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one toolchain.

    Attributes:
        root: what was built and downloaded; shared by all interpreters of this machine's user.
        installation: what belongs to this interpreter: launchers, ``PULUMI_HOME`` and the manifest.
    """

    root: Path
    installation: Path

    @classmethod
    def of_this_process(cls) -> "Layout":
        """The layout for the running interpreter."""
        root = cache_folder() / "toolchain" / versions_digest()
        return cls(root, root / f"python-{interpreter_digest()}")

    @property
    def built(self) -> Path:
        """The Go programs built here."""
        return self.root / "built"

    @property
    def downloaded(self) -> Path:
        """The official CLI's install root; the programs are in its ``bin``."""
        return self.root / "downloaded"

    @property
    def launchers(self) -> Path:
        """Executables of the Python parts, and the built CLI beside them."""
        return self.installation / "bin"

    @property
    def home(self) -> Path:
        """``PULUMI_HOME``."""
        return self.installation / "home"

    @property
    def manifest(self) -> Path:
        """The record of every part, which makes the second run instant."""
        return self.installation / "manifest.json"

    @property
    def lock(self) -> Path:
        """Held while anything here is made."""
        return self.root / "lock"
