"""Puts disk images into the store: looked through, named by content, and there in whole or not at all."""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.specs.machine import Compression, ImageFormat, MachineImage
from pxe.boot.store import IMAGES, ImageStore, checked_arguments

_GZIP, _QCOW2 = b"\x1f\x8b", b"QFI\xfb"
_CHUNK = 4 * 1024 * 1024
_SECTOR = 512
_CONVERT_SECONDS = 3600


class BadImage(Exception):  # noqa: N818 - what it is
    """The file is no image that can be put onto a disk; says why, and what to do."""


def add_image(
    root: Path, source: Path, name: str, *, expected_sha256: str = "", compress: bool = False
) -> MachineImage:
    """Copy an image into the store below ``root`` and return what describes it; blocks for as long as reading it takes.

    Args:
        root: the store.
        source: raw, gzip of raw, or qcow2, which is converted; told apart by its first bytes.
        name: what the image is to be called.
        expected_sha256: of the source, as its publisher gives it; empty if nobody does.
        compress: whether a raw image is served compressed.

    Raises:
        BadImage: if it cannot be used, or is not what was expected.
        OSError: if it cannot be read, or the store not be written.
    """
    folder = root / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    if expected_sha256 and _sha256(source) != expected_sha256.lower():
        raise BadImage(f"{source} does not have the SHA-256 {expected_sha256}: fetch it again")
    with _scratch(folder) as scratch:
        compression = _prepare(source, scratch, compress=compress)
        content, size = _content(scratch, compression)
        served = _sha256(scratch)
        image = MachineImage(name=name, compression=compression, sha256=served, content_sha256=content, size_bytes=size)
        _keep(scratch, folder / served)
    return image


def add_installer(  # noqa: PLR0913 - each is something else that an installer is made of
    root: Path, name: str, image_format: ImageFormat, *, kernel: Path, initrd: Path, arguments: str, size_bytes: int
) -> MachineImage:
    """Copy a distribution's own installer into the store below ``root`` and return what describes it; blocks shortly.

    Its checksums are its initrd's and its kernel's: with a newer installer, a machine is installed from another image.

    Args:
        root: the store.
        name: what the image is to be called; what is there by this name is replaced.
        image_format: whose installer it is.
        kernel: as its distribution publishes it for booting over the network.
        initrd: likewise.
        arguments: what its kernel is told besides what the boot service tells it, such as where its mirror is.
        size_bytes: what a disk has to hold at least for the system that it installs.

    Raises:
        BadImage: if the format is no installer's.
        NotFound: if the name cannot be one.
        ValueError: if the arguments hold what a boot script could take for more than arguments.
        OSError: if a file cannot be read, or the store not be written.
    """
    if image_format is ImageFormat.RAW:
        raise BadImage("a raw image has no installer: it is added as an image")
    image = MachineImage(
        name=name,
        format=image_format,
        sha256=_sha256(initrd),
        content_sha256=_sha256(kernel),
        size_bytes=size_bytes,
    )
    store = ImageStore(root)
    folder = store.installer(name, "kernel").parent
    checked_arguments(arguments)
    folder.mkdir(parents=True, exist_ok=True)
    for source, file in ((kernel, "kernel"), (initrd, "initrd")):
        with _scratch(folder) as scratch:
            shutil.copyfile(source, scratch)
            _keep(scratch, store.installer(name, file))
    with _scratch(folder) as scratch:
        scratch.write_text(f"{arguments}\n", encoding="ascii")
        _keep(scratch, folder / "arguments")
    return image


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A file of another name beside the images, which is gone afterwards."""
    descriptor, name = tempfile.mkstemp(prefix="adding-", dir=folder)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _prepare(source: Path, scratch: Path, *, compress: bool) -> Compression:
    with source.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(_GZIP):
        shutil.copyfile(source, scratch)
        return Compression.GZIP
    if magic == _QCOW2:
        _convert(source, scratch)
    elif not compress:
        shutil.copyfile(source, scratch)
    if not compress:
        return Compression.NONE
    with _scratch(scratch.parent) as packed:
        origin = scratch if magic == _QCOW2 else source
        # Without a name or time in it, so that the same content is the same file.
        with origin.open("rb") as raw, packed.open("wb") as out, gzip.GzipFile("", "wb", 6, out, mtime=0) as zipped:
            shutil.copyfileobj(raw, zipped, _CHUNK)
        packed.replace(scratch)
    return Compression.GZIP


def _convert(source: Path, target: Path) -> None:
    program = shutil.which("qemu-img")
    if program is None:
        raise BadImage("this is a qcow2 image, and there is no qemu-img to convert it: install qemu-utils")
    command = [program, "convert", "-f", "qcow2", "-O", "raw", str(source), str(target)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_CONVERT_SECONDS)
    if ended.returncode:
        raise BadImage(f"qemu-img could not convert it: {ended.stderr.strip()[:300]}")


def _content(path: Path, compression: Compression) -> tuple[str, int]:
    """Return SHA-256 and length of what lies on a disk in the end."""
    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(path) if compression is Compression.GZIP else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise BadImage(f"the image is cut off or damaged: {error}") from None
    if size == 0 or size % _SECTOR:
        raise BadImage(f"a disk image is a number of sectors of {_SECTOR} bytes, and this has {size} bytes")
    return digest.hexdigest(), size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(scratch: Path, target: Path) -> None:
    """Give the file its name once it is on the disk; whoever fetches it meanwhile keeps what he has."""
    scratch.chmod(0o644)
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    scratch.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
