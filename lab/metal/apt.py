"""This computer's apt for a release of Debian that need not be its own, from the same mirror. Signed, as ever."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from lab.metal.mirror import DebianMirror
from lab.metal.tools import run

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 300.0


class ReleaseApt:
    """apt with lists of its own, in a folder that may be kept. Nothing is installed.

    Raises:
        MetalLabError: each of its methods, if the mirror does not answer or does not have a package.
    """

    def __init__(self, folder: Path, mirror: DebianMirror) -> None:
        (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
        sources = folder / "sources.list"
        sources.write_text(f"deb [signed-by={_KEYRING}] {mirror.url} {mirror.release} main\n", encoding="utf-8")
        settings = {
            "APT::Sandbox::User": "root",
            "APT::Architecture": "amd64",
            "APT::Update::Error-Mode": "any",
            "Dir::Etc::sourcelist": str(sources),
            "Dir::Etc::sourceparts": "-",
            "Dir::State::lists": str(folder / "lists"),
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
        }
        options = (word for name, value in settings.items() for word in ("-o", f"{name}={value}"))
        self._apt = ["apt-get", "-q", *options]

    def update(self) -> None:
        """Fetch the lists; blocks for seconds."""
        run([*self._apt, "update"], seconds=_SECONDS)

    def file_name(self, package: str) -> str:
        """The name of a package's file, which has its version in it."""
        # 'http://…' NAME SIZE SHA256:…
        return run([*self._apt, "download", "--print-uris", package]).split()[1]

    def unpack(self, packages: Iterable[str], tree: Path) -> None:
        """Download packages and unpack them below a folder; blocks for seconds."""
        with tempfile.TemporaryDirectory(dir=tree.parent) as work:
            run([*self._apt, "download", *packages], seconds=_SECONDS, folder=Path(work))
            for package in Path(work).glob("*.deb"):
                run(["dpkg-deb", "-x", str(package), str(tree)], seconds=_SECONDS)
