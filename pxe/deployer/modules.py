"""Kernel modules and those that they need: in the wrong order there is neither network nor disk."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from pxe.deployer.errors import DeployerError


def kernel_version(tree: Path) -> str:
    """The version of the one kernel in an unpacked tree."""
    (folder,) = (tree / "lib/modules").iterdir()
    return folder.name


def copy_modules(tree: Path, wanted: Iterable[str], target: Path) -> None:
    """Copy modules with all that they depend on, and index the result for ``modprobe``.

    A module that this kernel does not have (built in, or left out) is passed over.

    Raises:
        DeployerError: ``depmod`` is missing or failed.
    """
    version = kernel_version(tree)
    _depmod(tree, version)
    source = tree / "lib/modules" / version
    needs = _needs(source / "modules.dep")
    by_name = {_plain(Path(path).name): path for path in needs}
    copied = target / "lib/modules" / version
    copied.mkdir(parents=True)
    for name in wanted:
        path = by_name.get(_plain(name))
        for part in () if path is None else (path, *needs[path]):
            (copied / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / part, copied / part)
    for index in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy2(source / index, copied / index)
    _depmod(target, version)


def _plain(name: str) -> str:
    return name.split(".ko", maxsplit=1)[0].replace("-", "_")


def _needs(index: Path) -> dict[str, list[str]]:
    lines = (line.partition(":") for line in index.read_text(encoding="utf-8").splitlines())
    return {path: rest.split() for path, _, rest in lines}


def _depmod(root: Path, version: str) -> None:
    command = shutil.which("depmod") or shutil.which("depmod", path="/usr/sbin:/sbin")
    if command is None:
        raise DeployerError("There is no depmod: it is in Debian's package kmod.")
    done = subprocess.run([command, "-b", str(root), version], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise DeployerError(f"depmod failed: {done.stderr.strip()}")
