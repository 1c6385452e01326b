"""A machine's hardware as it was told, beside what the machine itself reports. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.machines.models import Machine

_GIB = 1024**3
_MEMORY_SLACK = 0.08
"""Firmware and graphics keep a part of the memory to themselves, which the kernel then does not count."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One property: as it was told, and as it was found (None before the first inspection)."""

    title: str
    told: str
    found: str | None
    differs: bool


def compare(machine: Machine) -> Sequence[Comparison]:
    """Return a machine's properties in both versions."""
    facts = machine.facts
    disks = [] if facts is None else [disk["size_bytes"] for disk in facts["disks"]]
    macs = set() if facts is None else {str(nic["mac"]).lower() for nic in facts["nics"]}
    smallest = min(disks, default=0) // _GIB
    return (
        _row("Serial", machine.serial, _fact(facts, "serial")),
        _row("Boot MAC", machine.boot_mac, _boot_mac(machine, facts, macs)),
        _row("Cores", str(machine.cores), _fact(facts, "cores")),
        _row("Memory", _gib(machine.memory_mib), _memory(facts), differs=_lacks_memory(machine, facts)),
        _row("Disks", str(machine.disk_count), None if facts is None else str(len(disks))),
        _row(
            "Smallest disk",
            f"{machine.disk_gib} GiB",
            None if facts is None else f"{smallest} GiB",
            differs=facts is not None and smallest < machine.disk_gib,
        ),
    )


def _row(title: str, told: str, found: str | None, *, differs: bool | None = None) -> Comparison:
    return Comparison(title, told, found, (found is not None and found != told) if differs is None else differs)


def _fact(facts: Mapping[str, Any] | None, name: str) -> str | None:
    return None if facts is None else str(facts[name])


def _boot_mac(machine: Machine, facts: Mapping[str, Any] | None, macs: set[str]) -> str | None:
    if facts is None:
        return None
    return machine.boot_mac if machine.boot_mac in macs else "no card has it"


def _memory(facts: Mapping[str, Any] | None) -> str | None:
    return None if facts is None else _gib(facts["memory_mib"])


def _lacks_memory(machine: Machine, facts: Mapping[str, Any] | None) -> bool:
    return facts is not None and facts["memory_mib"] < machine.memory_mib * (1 - _MEMORY_SLACK)


def _gib(mebibytes: int) -> str:
    return f"{mebibytes / 1024:.1f} GiB".replace(".0 ", " ")
