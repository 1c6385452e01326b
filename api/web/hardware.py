"""A machine's hardware as it was told, beside what the machine itself reports. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.machines.inspection import Recorded, differences
from api.machines.models import Machine

_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Comparison:
    """One property: as it was told, and as it was found (None before the first inspection)."""

    title: str
    told: str
    found: str | None
    differs: bool


def compare(machine: Machine) -> Sequence[Comparison]:
    """Return a machine's properties in both versions; what differs is what an inspection would not let pass."""
    recorded, facts = Recorded.of(machine), machine.facts
    told = _as_told(recorded)
    rows = {
        "serial": ("Serial", recorded.serial),
        "cores": ("Cores", str(recorded.cores)),
        "memory_mib": ("Memory", _memory(recorded.memory_mib)),
        "disks": ("Disks", _disks(told["disks"])),
        "nics": ("Network cards", _cards(told["nics"])),
    }
    words: dict[str, Callable[[Any], str]] = {"memory_mib": _memory, "disks": _disks, "nics": _cards}
    return [
        Comparison(
            title,
            text,
            None if facts is None else words.get(name, str)(facts[name]),
            facts is not None and bool(differences(recorded, told | {name: facts[name]})),
        )
        for name, (title, text) in rows.items()
    ]


def _as_told(recorded: Recorded) -> dict[str, Any]:
    """Return what the machine would report if all was as it was told."""
    return {
        "serial": recorded.serial,
        "cores": recorded.cores,
        "memory_mib": recorded.memory_mib,
        "disks": [{"name": "", "size_bytes": recorded.disk_gib * _GIB}] * recorded.disk_count,
        "nics": [{"mac": mac} for mac in recorded.macs],
    }


def _memory(mebibytes: int) -> str:
    return f"{mebibytes / 1024:.1f} GiB".replace(".0 ", " ")


def _disks(disks: Sequence[Mapping[str, Any]]) -> str:
    sizes = Counter(round(disk["size_bytes"] / _GIB) for disk in disks)
    return ", ".join(f"{count} × {size} GiB" for size, count in sorted(sizes.items())) or "none"  # noqa: RUF001 - a times sign


def _cards(nics: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(sorted(str(nic["mac"]) for nic in nics)) or "none"
