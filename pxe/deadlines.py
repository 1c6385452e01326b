"""How long a machine may stay in each phase of a deployment. Seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Self

from components.specs.machine import DeploymentKind, DeploymentPhase
from pxe.errors import BadMetalSettings

VARIABLE = "SLIPWAY_METAL_DEADLINES"

_P = DeploymentPhase
_STAYS: Mapping[DeploymentPhase, float] = MappingProxyType(
    {
        _P.POWER: 600.0,  # servers test their memory and train their links before they think of the network
        _P.SCRIPT: 240.0,  # kernel and initrd, some 30 MB, from a boot service that serves fifty others
        _P.INSPECT: 600.0,  # RAID controllers and many disks appear; an installer fetches most of itself from a mirror
        _P.WRITE: 5400.0,  # a distribution's own installer, with all packages from a mirror
        _P.VERIFY: 1800.0,  # reading back an image, at the speed of a slow disk; of a wipe, samples only
        _P.CONFIGURE: 300.0,  # growing a file system over terabytes
        _P.REBOOT: 900.0,  # the self-test once more, and a distribution's whole first boot with cloud-init
        _P.FIRST_BOOT: 180.0,  # an SSH server that makes its host keys
    }
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds.

    Attributes:
        phases: how long a machine may stay in a phase, by the phase; a machine that asks for its script once more
            begins anew.
        wipe: how long it may stay in ``write`` of a wipe: overwriting 16 TB at 200 MB/s takes 23 hours.
        off: until a machine that said that it switches itself off is off; then it is switched off.
        poll: between two looks at a deployment, and so how soon a cancellation is noticed.
        silence: how long our initrd may say nothing while it writes. It speaks each minute, and a boot service may be
            away for a while; a machine whose power came back by itself runs something else by now.
        look: between two looks at the machine's power, to notice that it went dark.
    """

    phases: Mapping[DeploymentPhase, float] = field(default_factory=lambda: _STAYS)
    wipe: float = 100_000.0
    off: float = 60.0
    poll: float = 1.0
    silence: float = 900.0
    look: float = 10.0

    def of(self, kind: DeploymentKind, phase: DeploymentPhase | None) -> float:
        """Return how long a machine may stay in a phase of a deployment; no phase is as good as the first."""
        if kind is DeploymentKind.WIPE and phase is _P.WRITE:
            return self.wipe
        return self.phases.get(phase or _P.POWER, self.phases[_P.FIRST_BOOT])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read overrides, ``power=5,write=20,poll=0.1``; what is not named keeps its default.

        Raises:
            BadMetalSettings: names what is wrong, and what may be set.
        """
        own = {item.name for item in fields(cls)} - {"phases"}
        numbers: dict[str, float] = {}
        stays = dict(_STAYS)
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, number = part.partition("=")
            seconds = _seconds(part, number)
            if name in own:
                numbers[name] = seconds
            elif name in stays:
                stays[DeploymentPhase(name)] = seconds
            else:
                known = ", ".join(sorted({*own, *(phase.value for phase in stays)}))
                raise BadMetalSettings(f"{VARIABLE}: there is no '{name}'; there are {known}")
        return cls(phases=MappingProxyType(stays), **numbers)


def _seconds(part: str, number: str) -> float:
    try:
        seconds = float(number)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise BadMetalSettings(f"{VARIABLE}: '{part}' is not name=seconds, with seconds above zero")
    return seconds
