"""Kernel and initrd, made once from Debian's packages and found in the user's cache the next time."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from pxe.deployer.cpio import write_initrd
from pxe.deployer.errors import DeployerError
from pxe.deployer.kexec import write_kexec
from pxe.deployer.libraries import find_program, libraries
from pxe.deployer.modules import copy_modules, kernel_version
from pxe.deployer.packages import PackageSource
from pxe.deployer.recipe import CLOUD, SCRIPTS, Recipe

__all__ = ["Deployer", "DeployerError", "cache_folder", "ensure_deployer"]

_LOCK_SECONDS = 600.0
_FOLDERS = ("bin", "dev", "etc/dropbear", "lib64", "mnt", "proc", "root", "run", "sbin", "sys", "tmp", "usr/sbin")
_ACCOUNTS = {"etc/passwd": "root:*:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n", "etc/shells": "/bin/sh\n"}


@dataclass(frozen=True)
class Deployer:
    """The files that the boot service serves, with their SHA-256 in hexadecimal digits."""

    kernel: Path
    initrd: Path
    kernel_sha256: str
    initrd_sha256: str


def cache_folder() -> Path:
    """Slipway's cache: ``$SLIPWAY_CACHE_DIR``, else the platform's place for caches (``~/.cache/slipway``)."""
    chosen = os.environ.get("SLIPWAY_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("slipway")


def ensure_deployer(recipe: Recipe = CLOUD, *, cache: Path | None = None, refresh: bool = False) -> Deployer:
    """Return the files, building them if they are not there. Blocks for seconds then, longer on a slow network.

    Two processes may ask at once: one builds, the other waits for it.

    Args:
        recipe: which kind.
        cache: the folder for the results; Slipway's cache if not given.
        refresh: build anew, with the newest packages.

    Raises:
        DeployerError: it could not be built; the message says what is missing.
        filelock.Timeout: another process has been building for ten minutes.
    """
    root = (cache or cache_folder()) / "deployer"
    return build_once(root, f"{recipe.name}-{recipe.digest()}", lambda folder: build(recipe, folder), refresh=refresh)


def build_once(root: Path, name: str, make: Callable[[Path], None], *, refresh: bool = False) -> Deployer:
    """A folder that is either whole or not there: made beside its place under a lock, and moved."""
    place = root / name
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{name}.lock", timeout=_LOCK_SECONDS):
        if refresh or not (place / "manifest.json").exists():
            with tempfile.TemporaryDirectory(dir=root, prefix="building-") as work:
                make(Path(work) / "new")
                if place.exists():
                    place.rename(Path(work) / "old")
                (Path(work) / "new").rename(place)
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    return Deployer(place / "kernel", place / "initrd", manifest["kernel_sha256"], manifest["initrd_sha256"])


def build(recipe: Recipe, folder: Path) -> None:
    """Build kernel, initrd, ``kexec`` and ``manifest.json`` into a new folder.

    Raises:
        DeployerError: as for ``ensure_deployer``.
    """
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpacked-") as work:
        source, tree, root = PackageSource(Path(work)), Path(work) / "tree", Path(work) / "root"
        versions = source.unpack([source.real_kernel(recipe.kernel), *recipe.packages], tree)
        fill_root(recipe, tree, root)
        shutil.copyfile(tree / "boot" / f"vmlinuz-{kernel_version(tree)}", folder / "kernel")
        write_kexec(tree, folder / "kexec")
        write_initrd(root, folder / "initrd")
    sums = {f"{name}_sha256": file_sha256(folder / name) for name in ("kernel", "initrd")}
    manifest = {"recipe": asdict(recipe), "packages": versions, **sums}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def fill_root(recipe: Recipe, tree: Path, root: Path) -> None:
    """Lay out the initrd's files below ``root``, from unpacked packages and our scripts."""
    for name in _FOLDERS:
        (root / name).mkdir(parents=True)
    for name, content in _ACCOUNTS.items():
        (root / name).write_text(content, encoding="utf-8")
    shutil.copy2(find_program(tree, "busybox"), root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    copy_programs(tree, recipe.programs, root)
    copy_modules(tree, recipe.modules, root)
    _copy_scripts(root)


def copy_programs(tree: Path, names: tuple[str, ...], root: Path) -> None:
    """Copy programs into ``usr/sbin`` below ``root``, and the libraries that they need to where they look for them."""
    programs = {name: find_program(tree, name) for name in names}
    for name, path in programs.items():
        shutil.copy2(path, root / "usr/sbin" / name)
    for name, path in libraries(tree, programs.values()).items():
        target = root / ("lib64" if name.startswith("ld-linux") else "lib/x86_64-linux-gnu") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def _copy_scripts(root: Path) -> None:
    place = root / "lib/slipway"
    place.mkdir(parents=True, exist_ok=True)
    for path in SCRIPTS.iterdir():
        target = root / "init" if path.name == "init" else place / path.name
        shutil.copyfile(path, target)
        target.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def file_sha256(path: Path) -> str:
    """A file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
