"""How machines are spoken of on pages. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from api.alerts.models import AlertKind
from api.operations.models import OperationKind
from components.specs.machine import DeploymentKind, DeploymentPhase, DiskLayout, MachineState

_S, _P, _K = MachineState, DeploymentPhase, DeploymentKind
_KIB = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")

GROUPS: Mapping[str, tuple[MachineState, ...]] = MappingProxyType(
    {
        "free": (_S.AVAILABLE,),
        "in use": (_S.RESERVED, _S.DEPLOYING, _S.ACTIVE, _S.RESCUE),
        "being prepared": (_S.ENROLL, _S.INSPECT, _S.CLEAN, _S.CLEANING),
        "in trouble": (_S.QUARANTINE,),
    }
)
"""What one wants to know of a pool at a glance, in the order in which it is shown."""

_GONE = "gone"
_TONES = {"free": "good", "in use": "used", "being prepared": "wait", "in trouble": "bad", _GONE: ""}
_GROUP_OF = {state: group for group, states in GROUPS.items() for state in states} | {_S.RETIRED: _GONE}

_STATES: Mapping[MachineState, str] = MappingProxyType(
    {
        _S.ENROLL: "enrolled",
        _S.INSPECT: "being inspected",
        _S.CLEAN: "first wipe",
        _S.AVAILABLE: "available",
        _S.RESERVED: "reserved",
        _S.DEPLOYING: "being installed",
        _S.ACTIVE: "active",
        _S.RESCUE: "in rescue",
        _S.CLEANING: "being wiped",
        _S.QUARANTINE: "in quarantine",
        _S.RETIRED: "retired",
    }
)
_PHASES: Mapping[DeploymentPhase, str] = MappingProxyType(
    {
        _P.POWER: "Power on",
        _P.SCRIPT: "Network boot",
        _P.INSPECT: "Hardware check",
        _P.WRITE: "Write the image",
        _P.VERIFY: "Read back",
        _P.CONFIGURE: "Configure",
        _P.REBOOT: "Restart",
        _P.FIRST_BOOT: "First boot",
        _P.DONE: "Verified",
    }
)
_OF_KIND: Mapping[tuple[DeploymentKind, DeploymentPhase], str] = MappingProxyType(
    {
        (_K.WIPE, _P.WRITE): "Wipe the disks",
        (_K.WIPE, _P.REBOOT): "Power off",
        (_K.INSPECT, _P.REBOOT): "Power off",
        (_K.RESCUE, _P.CONFIGURE): "Start the system",
        (_K.RESCUE, _P.FIRST_BOOT): "Answers by SSH",
    }
)
_KINDS: Mapping[DeploymentKind, str] = MappingProxyType(
    {
        _K.INSPECT: "inspection",
        _K.INSTALL: "installation",
        _K.WIPE: "wipe",
        _K.RESCUE: "rescue system",
    }
)
_OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        OperationKind.REBOOT.value: "being switched off and on",
        OperationKind.DESTROY.value: "being taken back",
    }
)
_LAYOUTS: Mapping[DiskLayout, str] = MappingProxyType(
    {
        DiskLayout.SINGLE: "one disk carries the system, the others stay empty",
        DiskLayout.RAID1: "two disks, mirrored (RAID 1)",
    }
)
_ALERTS: Mapping[AlertKind, str] = MappingProxyType(
    {
        AlertKind.MACHINE_QUARANTINED: "Machine in quarantine",
        AlertKind.UNKNOWN_BOOT: "Unexpected network boot",
        AlertKind.TOKEN_MISUSED: "Boot token misused",
    }
)


def machine_state(state: str) -> str:
    """Write a machine's state: "being installed"."""
    return _STATES[MachineState(state)]


def machine_group(state: str) -> str:
    """Return what a state means for the pool: free, in use, being prepared, in trouble, or gone."""
    return _GROUP_OF[MachineState(state)]


def machine_tone(state: str) -> str:
    """Return the colour of a machine's state; one that is being installed shows that something is moving."""
    return "live" if state == _S.DEPLOYING else _TONES[machine_group(state)]


def group_tone(group: str) -> str:
    """Return the colour of a group of states."""
    return _TONES[group]


def phase_title(phase: str, kind: str) -> str:
    """Write a phase of a deployment: "Write the image", or "Wipe the disks"."""
    key = DeploymentKind(kind), DeploymentPhase(phase)
    return _OF_KIND.get(key, _PHASES[key[1]])


def deployment_kind(kind: str) -> str:
    """Write what a machine is booted for, as a thing: "installation"."""
    return _KINDS[DeploymentKind(kind)]


def customer_kind(kind: str) -> str:
    """Write what an operation on their machine is for a customer."""
    return _OPERATIONS.get(str(kind), "a change is being made")


def layout_words(layout: str) -> str:
    """Write how disks are used."""
    return _LAYOUTS[DiskLayout(layout)]


def alert_title(kind: str) -> str:
    """Write what an alert is about."""
    found = _ALERTS.get(AlertKind(kind)) if kind in list(AlertKind) else None
    return found or str(kind).replace("_", " ").capitalize()


def size(count: int) -> str:
    """Write a size in bytes in the largest unit that leaves no more than four digits: ``447.1 GiB``."""
    amount, unit = float(count), 0
    while amount >= _KIB and unit < len(_UNITS) - 1:
        amount, unit = amount / _KIB, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}".replace(".0 ", " ")


def stopwatch(seconds: float) -> str:
    """Write how long a phase took: ``4.2 s``, ``1 min 12 s``, ``3 h 5 min``."""
    if seconds < 10:  # noqa: PLR2004 - tenths say something of short phases only
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds a minute
        return f"{whole} s"
    if whole < 3600:  # noqa: PLR2004 - seconds an hour
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def stored_moment(text: str) -> str:
    """Write a time that is stored as text (ISO 8601), to the second, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


FILTERS = {
    "machine_state": machine_state,
    "machine_group": machine_group,
    "machine_tone": machine_tone,
    "group_tone": group_tone,
    "phase_title": phase_title,
    "deployment_kind": deployment_kind,
    "customer_kind": customer_kind,
    "layout_words": layout_words,
    "alert_title": alert_title,
    "size": size,
    "stopwatch": stopwatch,
    "stored_moment": stored_moment,
}
"""For templates."""
