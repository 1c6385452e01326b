"""Whether a wipe report proves that a machine's disks are empty: pure, and strict."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.specs.machine_facts import MAX_DISKS, DiskFacts, DiskName, Facts, HardwareText
from components.specs.network import Frozen

MIN_SAMPLES = 32
"""So many places of each disk have to have been read back, at least."""


class WipeMethod(StrEnum):
    """How a disk was emptied."""

    DISCARD = "discard"
    SECURE_ERASE = "secure-erase"
    OVERWRITE = "overwrite"


class WipedDisk(Frozen):
    """What was done to one disk, and what reading it in ``samples`` places has shown."""

    name: DiskName
    serial: HardwareText
    size_bytes: Annotated[int, Field(ge=0, le=1 << 60)]
    method: WipeMethod
    samples: Annotated[int, Field(ge=0, le=1 << 32)]
    nonzero_samples: Annotated[int, Field(ge=0, le=1 << 32)]


class WipeClaim(Frozen):
    """A wipe report as a machine sends it."""

    serial: HardwareText
    disks: Annotated[tuple[WipedDisk, ...], Field(max_length=MAX_DISKS)]
    seconds: Annotated[float, Field(ge=0, le=1e8)]


def doubts(claim: WipeClaim, serial: str, booted: Facts, inspected: Facts | None) -> list[str]:
    """Return what the report leaves unproven; nothing if every disk that this machine ever showed is empty.

    Args:
        claim: the report.
        serial: the machine's.
        booted: what the machine reported when it booted for this wipe.
        inspected: what it had at its inspection, if it had one: a disk that has dropped off since still holds data.
    """
    found = []
    if claim.serial != serial or booted.serial != serial:
        found.append(f"it is machine '{claim.serial}''s, and not '{serial}''s")
    wiped = {disk.name: disk for disk in claim.disks}
    if len(wiped) != len(claim.disks):
        found.append("it names a disk twice")
    for disk in booted.disks:
        if disk.size_bytes:
            found.extend(_doubts_of(disk, wiped.get(disk.name)))
    return [*found, *_gone(booted, inspected)]


def _doubts_of(disk: DiskFacts, wiped: WipedDisk | None) -> list[str]:
    if wiped is None:
        return [f"disk {disk.name} is missing from it"]
    if (wiped.serial, wiped.size_bytes) != (disk.serial, disk.size_bytes):
        return [f"its disk {disk.name} is another one than the machine has"]
    if wiped.nonzero_samples:
        return [f"{wiped.nonzero_samples} of {wiped.samples} samples of disk {disk.name} are not empty"]
    if wiped.samples < MIN_SAMPLES:
        return [f"disk {disk.name} was read in {wiped.samples} places only, and {MIN_SAMPLES} are the least"]
    return []


def _gone(booted: Facts, inspected: Facts | None) -> list[str]:
    """Disks that the machine had and does not show any more: by serial numbers, and where there are none by number."""
    if inspected is None:
        return []
    serials = {disk.serial for disk in booted.disks}
    gone = [disk for disk in inspected.disks if disk.serial and disk.serial not in serials]
    found = [f"the disk with the serial number '{disk.serial}' is gone" for disk in gone]
    missing = len(inspected.disks) - len(booted.disks)
    return found or ([f"{missing} of its disks are gone"] if missing > 0 else [])
