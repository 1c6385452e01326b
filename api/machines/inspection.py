"""Holds what a machine reported of its hardware against what is recorded of it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from api.machines.models import Machine

MEMORY_TOLERANCE = 0.03
DISK_TOLERANCE = 0.03
_RESERVED_MIB = 256
"""What firmware and kernel keep for themselves beyond the tolerance; it counts on small machines only."""
_ROUNDING_GIB = 0.5
"""Sizes are recorded in whole GiB."""
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Recorded:
    """What we were told of a machine.

    Attributes:
        disk_gib: the size of each of its ``disk_count`` disks.
        macs: of all its network cards that are known, that with which it boots among them.
    """

    serial: str
    cores: int
    memory_mib: int
    disk_gib: int
    disk_count: int
    macs: frozenset[str]

    @classmethod
    def of(cls, machine: Machine) -> Self:
        """Read it off a machine's row."""
        return cls(
            serial=machine.serial,
            cores=machine.cores,
            memory_mib=machine.memory_mib,
            disk_gib=machine.disk_gib,
            disk_count=machine.disk_count,
            macs=frozenset({machine.boot_mac, *machine.macs}),
        )


def differences(recorded: Recorded, facts: Mapping[str, Any]) -> list[str]:
    """Return in what a machine differs from what is recorded, a sentence each; none means that it is as told.

    Cards and memory beyond what is recorded: a card more is learnt, for BMCs bring some of their own; memory more than
    the tolerance is a difference, as is a disk of another size, because either is another machine's part.

    Args:
        recorded: what we were told.
        facts: the report of the machine's initrd (``docs/bare-metal.md``).
    """
    return [
        *_plain("serial number", recorded.serial, facts.get("serial")),
        *_plain("number of cores", recorded.cores, facts.get("cores")),
        *_memory(recorded.memory_mib, facts.get("memory_mib")),
        *_disks(recorded, facts.get("disks") or ()),
        *_cards(recorded.macs, facts.get("nics") or ()),
    ]


def all_macs(machine: Machine, facts: Mapping[str, Any]) -> list[str]:
    """Return the addresses of all network cards, those that the machine reported besides the recorded ones too."""
    return sorted({machine.boot_mac, *machine.macs, *(nic["mac"] for nic in facts.get("nics") or ())})


def _plain(what: str, told: object, found: object) -> Iterator[str]:
    if told != found:
        yield f"the {what} is {found!r}, and {told!r} is recorded"


def _memory(told: int, found: int | None) -> Iterator[str]:
    least, most = told * (1 - MEMORY_TOLERANCE) - _RESERVED_MIB, told * (1 + MEMORY_TOLERANCE)
    if found is None or not least <= found <= most:
        yield f"the memory is {found} MiB, and {told} MiB are recorded"


def _disks(recorded: Recorded, disks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(disks) != recorded.disk_count:
        yield f"there are {len(disks)} disks, and {recorded.disk_count} are recorded"
    allowed = max(recorded.disk_gib * DISK_TOLERANCE, _ROUNDING_GIB)
    for disk in disks:
        size = disk["size_bytes"] / _GIB
        if abs(size - recorded.disk_gib) > allowed:
            yield f"the disk {disk['name']} has {size:.1f} GiB, and {recorded.disk_gib} GiB are recorded"


def _cards(told: frozenset[str], nics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    missing = sorted(told - {nic["mac"] for nic in nics})
    if missing:
        yield f"there is no network card {', '.join(missing)}, which is recorded"
