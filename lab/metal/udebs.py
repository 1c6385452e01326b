"""The parts of Debian's installer that it fetches while it runs (udebs), as a small archive of the lab's own.

A mirror that has all packages of systems need not have all udebs, nor an index of them that fits its Release file. So
what installs ext4 on one disk or two is collected once; what the mirror lacks is made of the same release's ordinary
packages: drivers of its kernel's, tools of e2fsprogs'. The index is not signed: the lab's machines alone are told to
take it so.
"""

import hashlib
import lzma
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from lab.metal.apt import ReleaseApt
from lab.metal.mirror import DebianMirror
from lab.metal.tools import MetalLabError, run
from pxe.deployer.modules import copy_modules

INDEX = "main/debian-installer/binary-amd64/Packages"
"""Where an installer looks for its parts, below its release's folder."""
_PARTS = (
    *("apt-mirror-setup", "apt-setup-udeb", "base-installer", "bootstrap-base", "clock-setup", "debootstrap-udeb"),
    *("di-utils-mapdevfs", "disk-detect", "dosfstools-udeb", "finish-install", "fuse3-udeb", "grub-installer"),
    *("grub-mount-udeb", "libbsd0-udeb", "libdevmapper1.02.1-udeb", "libfuse3-4-udeb", "libmd0-udeb"),
    *("libparted-fs-resize0-udeb", "libparted2-udeb", "mdadm-udeb", "os-prober-udeb", "partman-auto"),
    *("partman-auto-raid", "partman-base", "partman-basicfilesystems", "partman-basicmethods", "partman-efi"),
    *("partman-ext3", "partman-md", "partman-partitioning", "partman-target", "partman-utils", "pkgsel", "rdate-udeb"),
    *("tzsetup-udeb", "user-setup-udeb"),
)
_DRIVERS = ("ext4", "vfat", "nls_ascii", "nls_cp437", "virtio_blk", "virtio_scsi", "sd_mod", "ahci", "nvme", "raid1")
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Substitute:
    """A part that is made of ordinary packages.

    Attributes:
        packages: what holds the files.
        files: which files, by the folder that they go into.
        needs: parts that it needs.
    """

    packages: Sequence[str]
    files: Mapping[str, Sequence[str]]
    needs: str


_SUBSTITUTES = {
    "e2fsprogs-udeb": Substitute(
        ("e2fsprogs", "libext2fs2t64", "libcom-err2", "libss2"),
        {
            "usr/sbin": ("*/sbin/mke2fs", "*/sbin/mkfs.ext*", "*/sbin/e2fsck", "*/sbin/fsck.ext*", "*/sbin/tune2fs"),
            "etc": ("etc/mke2fs.conf",),
            "usr/lib": tuple(f"{_LIBRARIES}/{name}.so.*" for name in ("libext2fs", "libe2p", "libcom_err", "libss")),
        },
        "libblkid1-udeb, libc6-udeb, libuuid1-udeb",
    ),
    "libmount1-udeb": Substitute(
        ("libmount1",), {"usr/lib": (f"{_LIBRARIES}/libmount.so.*",)}, "libblkid1-udeb, libc6-udeb, libselinux1-udeb"
    ),
}


def collect_udebs(root: Path, apt: ReleaseApt, mirror: DebianMirror, kernel: str) -> None:
    """Make an archive in an empty folder ``root``; blocks for a minute.

    Args:
        root: becomes what a mirror has in its folder ``debian``.
        apt: of the installer's release.
        mirror: of that release.
        kernel: the version of the installer's.

    Raises:
        MetalLabError: the mirror lacks something for which there is no substitute.
    """
    pool = root / "pool"
    pool.mkdir(parents=True)
    with httpx.Client(proxy=f"http://{mirror.proxy}" if mirror.proxy else None, timeout=_SECONDS) as client:
        place = f"{mirror.url}/dists/{mirror.release}"
        known = _stanzas(lzma.decompress(_get(client, f"{place}/{INDEX}.xz")).decode())
        stanzas = [_fetch(client, mirror.url, known, name, pool) for name in _PARTS]
        head = _get(client, f"{place}/Release").decode().split("\nMD5Sum:", 1)[0]
    for name, substitute in _SUBSTITUTES.items():
        tree = root / "unpacked" / name
        tree.mkdir(parents=True)
        apt.unpack(substitute.packages, tree)
        content = root / "made" / name
        _copy(tree, content, substitute.files)
        stanzas.append(_build(content, pool, {"Package": name, "Depends": substitute.needs, "Priority": "optional"}))
    stanzas.append(_drivers(root, apt, kernel, pool))
    _write_index(root / "dists" / mirror.release, head, stanzas)
    for scratch in ("unpacked", "made"):
        shutil.rmtree(root / scratch)


def _get(client: httpx.Client, url: str) -> bytes:
    try:
        return client.get(url, follow_redirects=True).raise_for_status().content
    except httpx.HTTPError as error:
        raise MetalLabError(
            f"the mirror of this computer's apt does not give {url.rpartition('/')[2]}: {error}"
        ) from None


def _stanzas(index: str) -> dict[str, str]:
    """An index's entries by the package's name."""
    entries = (entry.strip() for entry in index.split("\n\n"))
    return {entry.split("\n", 1)[0].removeprefix("Package: "): entry for entry in entries if entry}


def _fetch(client: httpx.Client, url: str, known: Mapping[str, str], name: str, pool: Path) -> str:
    entry = known.get(name)
    if entry is None:
        raise MetalLabError(f"the installer's part '{name}' is not in the mirror's index")
    fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line and not line.startswith(" "))
    content = _get(client, f"{url}/{fields['Filename']}")
    if hashlib.sha256(content).hexdigest() != fields["SHA256"]:
        raise MetalLabError(f"the installer's part '{name}' is not what the mirror's index says")
    file = f"{name}.udeb"
    (pool / file).write_bytes(content)
    return entry.replace(f"Filename: {fields['Filename']}", f"Filename: pool/{file}")


def _copy(tree: Path, content: Path, files: Mapping[str, Iterable[str]]) -> None:
    for folder, patterns in files.items():
        (content / folder).mkdir(parents=True, exist_ok=True)
        for pattern in patterns:
            for path in tree.glob(pattern):
                shutil.copy2(path, content / folder / path.name, follow_symlinks=False)


def _drivers(root: Path, apt: ReleaseApt, kernel: str, pool: Path) -> str:
    """The drivers that the installer's own initrd lacks; they need to be of the very kernel that it runs."""
    tree, content = root / "unpacked/kernel", root / "made/kernel"
    tree.mkdir(parents=True)
    apt.unpack([f"linux-image-{kernel}"], tree)
    if not (tree / "lib").exists():
        (tree / "lib").symlink_to("usr/lib")
    copy_modules(tree, _DRIVERS, content)
    for index in (content / "lib/modules" / kernel).glob("modules.*"):
        index.unlink()  # the installer has its own, and makes it anew
    (content / "usr").mkdir()
    (content / "lib").rename(content / "usr/lib")  # in the installer, /lib is a link to it
    script = content / "DEBIAN/postinst"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\ndepmod -a\n", encoding="ascii")
    script.chmod(0o755)
    names = ("ext2", "ext3", "ext4", "fat", "md", "scsi-core", "scsi", "sata", "virtio")
    provided = ", ".join(f"{name}-modules" for name in names)
    fields = {"Package": f"slipway-modules-{kernel}-di", "Provides": provided, "Priority": "standard"}
    return _build(content, pool, {**fields, "Kernel-Version": kernel})


def _build(content: Path, pool: Path, fields: Mapping[str, str]) -> str:
    """Pack a part, and return its entry of the index."""
    told = {**fields, "Version": "0slipway1", "Architecture": "amd64", "Section": "debian-installer"}
    told |= {"Maintainer": "Slipway's lab <root@localhost>", "Description": "made of this release's packages"}
    lines = "".join(f"{name}: {value}\n" for name, value in told.items())
    (content / "DEBIAN").mkdir(exist_ok=True)
    (content / "DEBIAN/control").write_text(lines, encoding="ascii")
    path = pool / f"{fields['Package']}.udeb"
    run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(content), str(path)], seconds=_SECONDS)
    packed = path.read_bytes()
    return f"{lines}Filename: pool/{path.name}\nSize: {len(packed)}\nSHA256: {hashlib.sha256(packed).hexdigest()}"


def _write_index(folder: Path, head: str, stanzas: Iterable[str]) -> None:
    """An index, and a Release file that has nothing else in it: what apt itself asks for is the mirror's own."""
    packed = "\n\n".join([*stanzas, ""]).encode()
    (folder / INDEX).parent.mkdir(parents=True)
    (folder / INDEX).write_bytes(packed)
    entry = f"{hashlib.sha256(packed).hexdigest()} {len(packed)} {INDEX}"
    (folder / "Release").write_text(f"{head}\nSHA256:\n {entry}\n", encoding="utf-8")
