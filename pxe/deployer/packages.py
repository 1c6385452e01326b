"""Debian's packages, unpacked into a folder: nothing is installed on this machine, and no root is needed."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from pxe.deployer.errors import DeployerError

_SECONDS = 600.0
_WITHOUT_SANDBOX = ("-o", "APT::Sandbox::User=root")
"""apt would otherwise download as its own user, who may not write into a folder of ours."""


class PackageSource:
    """apt, with this machine's sources.

    Args:
        work: an existing folder for lists and downloads.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._own_lists: tuple[str, ...] = ()

    def unpack(self, names: Iterable[str], tree: Path) -> dict[str, str]:
        """Download packages and unpack them below ``tree``; returns their versions by name. Blocks for seconds.

        Raises:
            DeployerError: there is no apt, or it does not have one of them.
        """
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise DeployerError(f"There is no {tool}: the deployer is built on Debian or one of its kind.")
        folder = self._work / "packages"
        folder.mkdir(parents=True, exist_ok=True)
        wanted = sorted(set(names))
        try:
            self._download(wanted, folder)
        except DeployerError:
            self._refresh()
            self._download(wanted, folder)
        versions = {}
        for package in sorted(folder.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(tree)])
            name, version, _ = package.name.split("_", 2)
            versions[name] = version
            package.unlink()
        return versions

    def real_kernel(self, name: str) -> str:
        """The package with the kernel itself: ``linux-image-cloud-amd64`` is empty and depends on it.

        Raises:
            DeployerError: apt does not know the package.
        """
        try:
            return self._dependency(name)
        except DeployerError:
            self._refresh()
            return self._dependency(name)

    def _dependency(self, name: str) -> str:
        said = _run(["apt-cache", *self._own_lists, "depends", name])
        found = [line.split()[-1] for line in said.splitlines() if "Depends: linux-image-" in line]
        return found[0] if found else name

    def _download(self, names: Sequence[str], folder: Path) -> None:
        _run(["apt-get", "-q", *_WITHOUT_SANDBOX, *self._own_lists, "download", *names], folder)

    def _refresh(self) -> None:
        """Fetch the package lists into a folder of our own: this machine's may be missing or old, and are not ours."""
        lists = self._work / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        self._own_lists = (
            "-o",
            f"Dir::State::lists={lists}",
            "-o",
            "Dir::Cache::pkgcache=",
            "-o",
            "Dir::Cache::srcpkgcache=",
        )
        _run(["apt-get", "-q", *_WITHOUT_SANDBOX, *self._own_lists, "-o", "APT::Update::Error-Mode=any", "update"])


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise DeployerError(
            f"`{' '.join(command[:8])} …` failed. Packages come from this machine's apt sources (/etc/apt); "
            f"it said:\n{done.stderr[-2000:]}"
        )
    return done.stdout
