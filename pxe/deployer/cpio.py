"""The archive that the kernel unpacks as its first root ("newc", Documentation/driver-api/early-userspace in Linux).

Written here rather than by cpio(1): the same files make the same bytes, owned by root whoever builds them.
"""

import gzip
import os
import stat
from pathlib import Path
from typing import BinaryIO

_TRAILER = "TRAILER!!!"


def write_initrd(folder: Path, target: Path) -> None:
    """Pack a folder, compressed with gzip."""
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        for number, path in enumerate(sorted(folder.rglob("*")), 1):
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                content = os.fsencode(path.readlink())
            else:
                content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            _member(packed, path.relative_to(folder).as_posix(), _mode(status.st_mode), content, number)
        # /dev/console has to be there before anything can make it: the first process speaks through it.
        _member(packed, "dev/console", stat.S_IFCHR | 0o600, b"", 0, device=(5, 1))
        _member(packed, _TRAILER, 0, b"", 0)


def _mode(mode: int) -> int:
    """Without what the builder's umask took away."""
    if stat.S_ISDIR(mode):
        return stat.S_IFDIR | 0o755
    if stat.S_ISREG(mode):
        return stat.S_IFREG | (0o755 if mode & stat.S_IXUSR else 0o644)
    return mode


def _member(
    archive: BinaryIO | gzip.GzipFile, name: str, mode: int, content: bytes, inode: int, device: tuple[int, int] = (0, 0)
) -> None:
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    archive.write(_padded(header + encoded))
    archive.write(_padded(content))


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
