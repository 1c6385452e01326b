"""The archive that the kernel unpacks as its first root ("newc", Documentation/driver-api/early-userspace in Linux).

Written here rather than by cpio(1): the same files make the same bytes, owned by root whoever builds them.
"""

import gzip
import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Member:
    name: str
    mode: int = 0
    content: bytes = b""
    device: tuple[int, int] = (0, 0)

    def packed(self, inode: int) -> bytes:
        encoded = self.name.encode() + b"\0"
        fields = (inode, self.mode, 0, 0, 1, 0, len(self.content), 0, 0, *self.device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        return _padded(header + encoded) + _padded(self.content)


# It has to be there before anything can make it: the first process speaks through it.
_CONSOLE = _Member("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
_TRAILER = _Member("TRAILER!!!")


def write_initrd(folder: Path, target: Path) -> None:
    """Pack a folder, compressed with gzip."""
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        for inode, path in enumerate(sorted(folder.rglob("*")), 1):
            packed.write(_member(path, path.relative_to(folder).as_posix()).packed(inode))
        packed.write(_CONSOLE.packed(0))
        packed.write(_TRAILER.packed(0))


def _member(path: Path, name: str) -> _Member:
    """Without what the builder's umask took away."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _Member(name, mode, os.fsencode(path.readlink()))
    if stat.S_ISDIR(mode):
        return _Member(name, stat.S_IFDIR | 0o755)
    return _Member(name, stat.S_IFREG | (0o755 if mode & stat.S_IXUSR else 0o644), path.read_bytes())


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
