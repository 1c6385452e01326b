"""`installimage`: what it refuses and what it installs. No I/O.

The rules and messages are those of ``validate_vars`` in https://github.com/hetzneronline/installimage (functions.sh).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

IMAGES = (
    "/root/images/Debian-1207-bookworm-amd64-base.tar.gz",
    "/root/images/Debian-1300-trixie-amd64-base.tar.gz",
)
"""What lies in the rescue system's image folder."""
LEAST_DRIVES = {"0": 2, "1": 2, "5": 3, "6": 4, "10": 4}
_SIZE = re.compile(r"all|\d+[MGT]?")
_FILESYSTEMS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "swap", "lvm", "esp"})
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class Refused(Exception):  # noqa: N818 - what installimage did
    """The message that installimage prints before it gives up."""


@dataclass(frozen=True, slots=True)
class Line:
    """A keyword and what is after it."""

    keyword: str
    words: tuple[str, ...]


def check(config: str, drives: Iterable[str]) -> None:
    """Hold a configuration against a machine that has these drives (``nvme0n1``).

    Raises:
        Refused: with installimage's own message.
    """
    lines = list(_lines(config))
    single = {line.keyword: line.words[0] for line in lines if len(line.words) == 1}
    chosen = [(key, value) for key, value in single.items() if re.fullmatch(r"DRIVE\d+", key)]
    _check_drives(chosen, {f"/dev/{drive}" for drive in drives})
    _check_raid(single, len(chosen))
    if single.get("BOOTLOADER", "grub") != "grub":
        raise Refused("ERROR: No valid BOOTLOADER")
    if not _HOSTNAME.fullmatch(single.get("HOSTNAME", "")):
        raise Refused("ERROR: No valid HOSTNAME")
    if single.get("IMAGE") not in IMAGES:
        raise Refused("ERROR: No valid IMAGEFILE")
    _check_partitions([line.words for line in lines if line.keyword == "PART"])
    _check_volumes(
        [line.words for line in lines if line.keyword == "LV"],
        {line.words[1] for line in lines if line.keyword == "PART" and line.words[0] == "lvm"},
    )
    if not any("/" in line.words for line in lines if line.keyword in {"PART", "LV"}):
        raise Refused("ERROR: You need a root partition /")


def _lines(config: str) -> Iterator[Line]:
    for text in config.splitlines():
        words = text.split("#")[0].split()
        if words:
            yield Line(words[0], tuple(words[1:]))


def _check_drives(chosen: list[tuple[str, str]], there: set[str]) -> None:
    if "DRIVE1" not in dict(chosen):
        raise Refused("ERROR: Value for DRIVE1 is not correct: ")
    for key, value in chosen:
        if value not in there:
            raise Refused(f"ERROR: Value for {key} is not correct: {value}")
    if len({value for _, value in chosen}) != len(chosen):
        raise Refused("ERROR: one drive is given twice")


def _check_raid(single: dict[str, str], drives: int) -> None:
    if single.get("SWRAID", "0") not in {"0", "1"}:
        raise Refused("ERROR: Value for SWRAID is not correct")
    if single.get("SWRAID") != "1":
        return
    level = single.get("SWRAIDLEVEL", "")
    if level not in LEAST_DRIVES:
        raise Refused("ERROR: Value for SWRAIDLEVEL is not correct")
    if drives < LEAST_DRIVES[level]:
        raise Refused(f"ERROR: Not enough drives for RAID level {level}")


def _check_partitions(partitions: list[tuple[str, ...]]) -> None:
    if not partitions:
        raise Refused("ERROR: There are no PARTITIONS given")
    for index, words in enumerate(partitions):
        if len(words) != 3:  # noqa: PLR2004 - mount point, file system, size
            raise Refused(f"ERROR: Partition {index + 1}: mount point, file system and size are needed")
        mount, kind, size = words
        if mount != "lvm" and kind not in _FILESYSTEMS:
            raise Refused(f"ERROR: Filesystem '{kind}' is not supported")
        if not _SIZE.fullmatch(size):
            raise Refused(f"ERROR: Partition size '{size}' is not correct")
        if size == "all" and index + 1 < len(partitions):
            raise Refused("ERROR: The partition with size 'all' must be the last one")


def _check_volumes(volumes: list[tuple[str, ...]], groups: set[str]) -> None:
    for words in volumes:
        if len(words) != 5:  # noqa: PLR2004 - group, name, mount point, file system, size
            raise Refused("ERROR: LV: group, name, mount point, file system and size are needed")
        if words[0] not in groups:
            raise Refused(f"ERROR: LVM volume group '{words[0]}' is not defined")
        if words[3] not in _FILESYSTEMS:
            raise Refused(f"ERROR: Filesystem '{words[3]}' is not supported")
        if not _SIZE.fullmatch(words[4]):
            raise Refused(f"ERROR: Size '{words[4]}' of logical volume '{words[1]}' is not correct")
