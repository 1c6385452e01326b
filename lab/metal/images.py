"""A small system that a machine can be installed with: Debian's kernel and busybox, GRUB, ifupdown and an SSH server.

Two variants, ``tiny-a`` and ``tiny-b``, which say so in ``/etc/slipway-image``: a reinstallation shows. A third,
``tiny-uefi``, is for machines that boot by UEFI.
"""

import gzip
import hashlib
import json
import shutil
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from components.specs.machine import Compression, MachineImage
from lab.metal import uefi
from lab.metal.tools import run
from pxe.deployer import cpio
from pxe.deployer.build import cache_folder, copy_programs, file_sha256
from pxe.deployer.cpio import write_initrd
from pxe.deployer.libraries import find_program
from pxe.deployer.modules import copy_modules, kernel_version
from pxe.deployer.packages import PackageSource
from pxe.deployer.recipe import CLOUD

VARIANTS = ("tiny-a", "tiny-b")
UEFI_VARIANT = "tiny-uefi"
_OWN = Path(__file__).parent / "tiny"
_FIRST, _IMAGE_MIB, _UEFI_MIB = 2048, 48, 64
_LOCK_SECONDS = 600.0
_PACKAGES = ("ifupdown",)
_MODULES = ("virtio_blk", "virtio_net", "virtio_pci", "ext4", "raid1", "crc32c_generic", "virtio_rng")
_EAGER = ("virtio_pci", "ext4", "crc32c_generic", "raid1")
_GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "linux", "normal", "mdraid1x")
_GRUB_CONFIG = """\
set root=(hd0,msdos1)
linux /boot/vmlinuz console=ttyS0 no_timer_check loglevel=4 panic=5
initrd /boot/initrd
boot
"""
_FILES = {
    "etc/passwd": "root:*:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/shells": "/bin/sh\n",
    "etc/hostname": "tiny\n",
    "etc/network/interfaces": "auto lo\niface lo inet loopback\n",
    "etc/resolv.conf": "",
}
_FOLDERS = (
    *("boot", "dev", "mnt", "proc", "root", "run", "sys", "tmp", "usr/sbin", "bin", "sbin", "etc/dropbear"),
    *(f"etc/network/if-{moment}.d" for moment in ("pre-up", "up", "down", "post-down")),
)


@dataclass(frozen=True)
class LabImage:
    """An image and the file to serve it from (packed with gzip)."""

    path: Path
    image: MachineImage


_Images = dict[str, LabImage]
_Described = Iterator[MachineImage]


def ensure_images(cache: Path | None = None) -> dict[str, LabImage]:
    """The variants by name, built if they are not in the cache. Blocks for seconds then; two processes may ask at once.

    Raises:
        DeployerError, MetalLabError: a package or a program is missing; the message says which.
    """
    return _ensure(cache, "bios", "grub-pc-bin", _build_bios)


def ensure_uefi_image(cache: Path | None = None) -> LabImage:
    """The same for machines that boot by UEFI."""
    return _ensure(cache, "uefi", "grub-efi-amd64-bin", _build_uefi)[UEFI_VARIANT]


def _ensure(cache: Path | None, kind: str, loader: str, build: Callable[[Path, Path, Path], _Described]) -> _Images:
    root = (cache or cache_folder()) / "metal-images"
    place = root / f"{kind}-{_digest()}"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{place.name}.lock", timeout=_LOCK_SECONDS):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=root, prefix="building-") as work:
                _build(Path(work), loader, build)
                (Path(work) / "images").rename(place)
    described = json.loads((place / "images.json").read_text(encoding="utf-8"))
    return {
        name: LabImage(place / f"{name}.raw.gz", MachineImage.model_validate(image))
        for name, image in described.items()
    }


def _digest() -> str:
    whole = hashlib.sha256(repr(CLOUD).encode())
    sources = (Path(__file__), Path(uefi.__file__))
    for path in sorted([*_OWN.iterdir(), *Path(cpio.__file__).parent.glob("*.py"), *sources]):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def _build(work: Path, loader: str, build: Callable[[Path, Path, Path], _Described]) -> None:
    tree, root, images = work / "tree", work / "root", work / "images"
    source = PackageSource(work)
    source.unpack([source.real_kernel(CLOUD.kernel), *CLOUD.packages, *_PACKAGES, loader], tree)
    _fill_root(tree, root)
    images.mkdir()
    described = {image.name: image.model_dump(mode="json") for image in build(tree, root, images)}
    (images / "images.json").write_text(json.dumps(described), encoding="utf-8")


def _build_bios(tree: Path, root: Path, images: Path) -> _Described:
    for name in VARIANTS:
        (root / "etc/slipway-image").write_text(f"{name}\n", encoding="utf-8")
        yield image_of(name, root, images, _IMAGE_MIB, lambda raw: make_bootable(tree, raw, _GRUB_CONFIG))


def _build_uefi(tree: Path, root: Path, images: Path) -> _Described:
    (root / "etc/slipway-image").write_text(f"{UEFI_VARIANT}\n", encoding="utf-8")
    config = _GRUB_CONFIG.replace("(hd0,msdos1)", "(hd0,gpt2)")
    around = (uefi.SYSTEM_START + uefi.SYSTEM_SECTORS, uefi.TAIL_SECTORS)
    made = partial(uefi.make_uefi_bootable, tree, grub_config=config)
    yield image_of(UEFI_VARIANT, root, images, _UEFI_MIB, made, around=around)


def _fill_root(tree: Path, root: Path) -> None:
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, content in _FILES.items():
        (root / name).write_text(content, encoding="utf-8")
    busybox = find_program(tree, "busybox")
    shutil.copy2(busybox, root / "bin/busybox")
    copy_programs(tree, ("dropbear", "mdadm", "ifup"), root)
    for name in run([str(busybox), "--list"]).split():
        if name not in {"busybox", "ifup", "ifdown"}:
            (root / "bin" / name).symlink_to("busybox")
    shutil.copyfile(_OWN / "init", root / "sbin/init")
    (root / "sbin/init").chmod(0o755)
    version = kernel_version(tree)
    shutil.copyfile(tree / "boot" / f"vmlinuz-{version}", root / "boot/vmlinuz")
    write_initrd(_initrd_root(tree, busybox), root / "boot/initrd")


def _initrd_root(tree: Path, busybox: Path) -> Path:
    root = tree.parent / "initrd"
    for name in ("bin", "dev", "lib/slipway", "mnt", "proc", "run", "sys", "usr/sbin", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy2(busybox, root / "bin/busybox")
    (root / "bin/sh").symlink_to("busybox")
    copy_programs(tree, ("mdadm",), root)
    copy_modules(tree, _MODULES, root)
    (root / "lib/slipway/modules").write_text(" ".join(_EAGER), encoding="utf-8")
    shutil.copyfile(_OWN / "initrd-init", root / "init")
    (root / "init").chmod(stat.S_IRWXU)
    return root


def image_of(  # noqa: PLR0913 - what an image is made of
    name: str,
    root: Path,
    folder: Path,
    mib: int,
    finish: Callable[[Path], None],
    *,
    around: tuple[int, int] = (_FIRST, 0),
) -> MachineImage:
    """Make ``NAME.raw.gz`` in a folder from a tree of files: one partition with ext4, labelled ``slipway-root``.

    Args:
        name: of the image.
        root: what the file system holds; everything belongs to root where the tree does.
        folder: where the file goes.
        mib: the size of the whole image.
        finish: gets the raw image before it is packed.
        around: so many sectors before that partition and after it are not its.

    Raises:
        MetalLabError: it does not fit, or there is no mke2fs.
    """
    raw = folder / f"{name}.raw"
    size = mib << 20
    with raw.open("wb") as disk:
        disk.truncate(size)
    before, after = around
    kib = (size - (before + after) * uefi.SECTOR) // 1024
    options = f"offset={before * uefi.SECTOR},root_owner=0:0"
    run(["mke2fs", "-q", "-t", "ext4", "-L", "slipway-root", "-d", str(root), "-E", options, str(raw), f"{kib}k"])
    finish(raw)
    packed = folder / f"{name}.raw.gz"
    with raw.open("rb") as source, packed.open("wb") as target, gzip.GzipFile("", "wb", 6, target, mtime=0) as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    content_sha256 = file_sha256(raw)
    raw.unlink()
    return MachineImage(
        name=name,
        compression=Compression.GZIP,
        sha256=file_sha256(packed),
        content_sha256=content_sha256,
        size_bytes=size,
    )


def make_bootable(tree: Path, raw: Path, grub_config: str) -> None:
    """GRUB's first sector, its core in the gap before the partition, and a table with that one partition.

    Args:
        tree: with Debian's grub-pc-bin unpacked.
        raw: a disk image.
        grub_config: what GRUB does at once, without a menu.
    """
    modules = tree / "usr/lib/grub/i386-pc"
    config, core = tree.parent / "grub.cfg", tree.parent / "core.img"
    config.write_text(grub_config, encoding="utf-8")
    run(
        [
            *("grub-mkimage", "-O", "i386-pc", "-d", str(modules), "-p", "(hd0,msdos1)/boot/grub"),
            *("-c", str(config), "-o", str(core), *_GRUB_MODULES),
        ]
    )
    sectors = raw.stat().st_size // uefi.SECTOR
    partition = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", _FIRST, sectors - _FIRST)
    first = (modules / "boot.img").read_bytes()[:440] + struct.pack("<IH", 0x51495057, 0)
    with raw.open("r+b") as disk:
        disk.write(first + partition + b"\0" * 48 + b"\x55\xaa")
        disk.seek(uefi.SECTOR)
        disk.write(core.read_bytes())
