"""Debian's own installer, as Debian packages it for booting over the network, in an image store."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from components.specs.machine import ImageFormat, MachineImage
from lab.metal.apt import ReleaseApt
from lab.metal.mirror import DebianMirror
from lab.metal.tools import MetalLabError
from lab.metal.udebs import collect_udebs
from pxe.boot.adding import add_installer
from pxe.deployer.build import cache_folder

RELEASE = "trixie"
NAME = "debian-13-installer"
_PACKAGE = "debian-installer-13-netboot-amd64"
_FILES = "usr/lib/debian-installer/images/13/amd64/text/debian-installer/amd64"
_DISK_BYTES = 3 << 30
_LOCK_SECONDS = 900.0
_LAB = (
    # Its parts are the lab's own collection (lab.metal.udebs), whose index nobody has signed.
    "debian-installer/allow_unauthenticated=true "
    # A machine of QEMU needs no firmware's and no server's drivers: its kernel is a third of the usual one, and its
    # initrd a tenth.
    "base-installer/kernel/image=linux-image-cloud-amd64 base-installer/initramfs-tools/driver-policy=dep "
    # There is no time server to ask.
    "clock-setup/ntp=false"
)
_INSTALLED = "--- no_timer_check"
"""What the installed system's kernel is told for good (debian-installer's manual, "Boot parameters")."""


def ensure_installer(mirror: DebianMirror, cache: Path | None = None) -> Path:
    """The newest installer that the mirror has, from the cache or made now: a minute. Blocks for seconds at least.

    Returns:
        A folder with ``linux``, ``initrd.gz`` and ``archive``, which holds what the installer fetches of itself.

    Raises:
        MetalLabError: the mirror does not have all of it, and no earlier run has kept it.
    """
    root = (cache or cache_folder()) / "debian-installer"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{mirror.release}.lock", timeout=_LOCK_SECONDS):
        apt = ReleaseApt(root / f"{mirror.release}-apt", mirror)
        kept = sorted(root.glob(f"{mirror.release}-v1-*"), key=lambda path: path.stat().st_mtime)
        try:
            apt.update()
            place = root / f"{mirror.release}-v1-{apt.file_name(_PACKAGE)}"
            if not place.exists():
                _make(place, apt, mirror)
        except MetalLabError:
            if not kept:
                raise
            return kept[-1]
    return place


def stock_debian_installer(
    store: Path, files: Path, mirror: DebianMirror, archive_url: str, proxy_url: str
) -> MachineImage:
    """Put the installer into an image store; blocks shortly.

    Args:
        store: the image store.
        files: what ``ensure_installer`` gave.
        mirror: of the same release.
        archive_url: where the installer's own parts are served.
        proxy_url: behind which the mirror is.
    """
    place = replace(mirror, url=archive_url)
    return add_installer(
        store,
        NAME,
        ImageFormat.INSTALLER_DEBIAN,
        kernel=files / "linux",
        initrd=files / "initrd.gz",
        arguments=f"{place.arguments(proxy_url)} {_LAB} {_INSTALLED}",
        size_bytes=_DISK_BYTES,
    )


def _make(place: Path, apt: ReleaseApt, mirror: DebianMirror) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as work:
        tree, made = Path(work) / "tree", Path(work) / "made"
        tree.mkdir()
        made.mkdir()
        apt.unpack([_PACKAGE], tree)
        for name in ("linux", "initrd.gz"):
            shutil.copy(tree / _FILES / name, made / name)
        collect_udebs(made / "archive", apt, mirror, _kernel_version(made / "linux"))
        made.rename(place)


def _kernel_version(kernel: Path) -> str:
    """As the kernel's own header has it (Linux, Documentation/arch/x86/boot.rst: ``kernel_version``)."""
    content = kernel.read_bytes()
    start = int.from_bytes(content[0x20E:0x210], "little") + 0x200
    return content[start : content.index(b"\0", start)].decode().split(" ", 1)[0]
