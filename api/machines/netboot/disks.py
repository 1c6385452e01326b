"""Which disks a deployment uses: a pure decision, made from what the machine itself has just reported."""

from collections.abc import Sequence
from itertools import groupby

from api.machines.netboot.errors import DiskTooSmall
from components.specs.machine import DiskLayout
from components.specs.machine_facts import DiskFacts

MIRROR_METADATA_BYTES = 1024 * 1024
"""What Linux' RAID takes of each disk's end (metadata 1.0 with its bitmap needs less; this is a round number above)."""


def choose_disks(layout: DiskLayout, disks: Sequence[DiskFacts], image_bytes: int) -> tuple[str, ...]:
    """Return the names of the disks that the system is written to, the same ones for the same facts.

    ``single`` takes the smallest disk that is large enough, ``raid1`` the smallest two of one size.

    Raises:
        DiskTooSmall: if there is none; the sentence says what there is.
    """
    needed = image_bytes + (MIRROR_METADATA_BYTES if layout is DiskLayout.RAID1 else 0)
    fitting = sorted(
        (disk for disk in disks if disk.size_bytes >= needed),
        key=lambda disk: (disk.size_bytes, len(disk.name), disk.name),
    )
    if layout is DiskLayout.SINGLE and fitting:
        return (fitting[0].name,)
    if layout is DiskLayout.RAID1:
        for _, same in groupby(fitting, key=lambda disk: disk.size_bytes):
            pair = [disk.name for disk in same][:2]
            if len(pair) == 2:  # noqa: PLR2004 - a mirror
                return tuple(pair)
    what = "no disk" if layout is DiskLayout.SINGLE else "no two disks of one size"
    found = ", ".join(f"{disk.name} {disk.size_bytes}" for disk in disks) or "none"
    raise DiskTooSmall(f"{what} of this machine can hold {needed} bytes; disks and their bytes: {found}")


def disks_to_wipe(disks: Sequence[DiskFacts]) -> tuple[str, ...]:
    """Return the names of all disks that hold anything; an empty card reader has no bytes."""
    return tuple(disk.name for disk in disks if disk.size_bytes > 0)
