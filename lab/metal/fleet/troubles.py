"""What goes wrong in a fleet: drawn beforehand, the same for the same seed, whatever the threads do."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from components.specs.machine import DeploymentKind, DeploymentPhase
from pxe.power.fake import Fault, FaultKind

_P = DeploymentPhase
PHASES: Mapping[DeploymentKind, tuple[DeploymentPhase, ...]] = MappingProxyType(
    {
        DeploymentKind.INSTALL: (_P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.CONFIGURE, _P.REBOOT, _P.FIRST_BOOT),
        DeploymentKind.WIPE: (_P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.REBOOT),
    }
)
"""Where a machine can stop, or lose its power."""


class TroubleKind(StrEnum):
    """What goes wrong."""

    POWER_CUT = "power cut"
    HANG = "stops in a phase"
    SILENT = "no answer to DHCP"
    BMC_BUSY = "BMC busy"
    BMC_HANG = "BMC hangs"
    BMC_DEAD = "BMC dead"
    BMC_DISOBEYS = "BMC does not obey"
    BOOT_ONCE_IGNORED = "boot-once ignored"
    BOOT_LOOP = "boots the network for ever"
    BOOT_ORDER_LOST = "boot order lost"
    WRONG_SERIAL = "another machine's serial"
    TOKEN_REUSED = "token shown twice"  # noqa: S105 - a kind of trouble
    TOKEN_FOREIGN = "another deployment's token"  # noqa: S105 - a kind of trouble
    IMAGE_CHECKSUM = "image damaged"
    CALLBACK_LOST = "no call from the installed system"
    ANSWERS_LOST = "answers lost"
    WIPE_NONZERO = "wipe: samples not empty"
    WIPE_DISK_MISSING = "wipe: disk not reported"
    WIPE_DISK_GONE = "wipe: disk dropped off"
    WIPE_FORGED = "wipe: report not signed"


_K = TroubleKind
_INSTALLING = frozenset({_K.IMAGE_CHECKSUM, _K.CALLBACK_LOST})
_WIPING = frozenset({_K.WIPE_NONZERO, _K.WIPE_DISK_MISSING, _K.WIPE_DISK_GONE, _K.WIPE_FORGED})
_FOR_EVER = 10_000
_TIMES: Mapping[TroubleKind, tuple[int, ...]] = MappingProxyType(
    {
        _K.BMC_BUSY: (1, 5, 40),
        _K.BMC_HANG: (1, 3, 12),
        _K.BMC_DEAD: (_FOR_EVER,),
        _K.BOOT_LOOP: (_FOR_EVER,),
        _K.WRONG_SERIAL: (_FOR_EVER,),
        _K.WIPE_DISK_GONE: (_FOR_EVER,),
        _K.ANSWERS_LOST: (1, 3, 8),
    }
)
_USUAL_TIMES = (1, 2, _FOR_EVER)
_OF_BMC: Mapping[TroubleKind, FaultKind] = MappingProxyType(
    {
        _K.BMC_BUSY: FaultKind.BUSY,
        _K.BMC_HANG: FaultKind.HANG,
        _K.BMC_DEAD: FaultKind.HANG,
        _K.BMC_DISOBEYS: FaultKind.DISOBEY,
        _K.BOOT_ONCE_IGNORED: FaultKind.DROP_BOOT_ONCE,
        _K.BOOT_LOOP: FaultKind.KEEP_BOOT_ONCE,
        _K.BOOT_ORDER_LOST: FaultKind.LOSE_BOOT_ORDER,
    }
)


def kinds_of(occasion: DeploymentKind) -> tuple[TroubleKind, ...]:
    """Return what can go wrong when a machine is installed or wiped."""
    others = _WIPING if occasion is DeploymentKind.INSTALL else _INSTALLING
    return tuple(kind for kind in TroubleKind if kind not in others)


@dataclass
class Trouble:
    """Something that goes wrong with one machine.

    Attributes:
        times: how often still.
        phase: in which, for what happens in one.
    """

    kind: TroubleKind
    times: int
    phase: DeploymentPhase

    @property
    def fault(self) -> Fault | None:
        """The same as a fault of the machine's BMC; None if it is none."""
        kind = _OF_BMC.get(self.kind)
        return None if kind is None else Fault(kind, times=self.times)


@dataclass(frozen=True, slots=True)
class TroublePlan:
    """Says what goes wrong on which occasion.

    Attributes:
        rate: how likely something does, from 0 to 1.
    """

    seed: int
    rate: float

    def draw(self, subject: str, occasion: DeploymentKind) -> Trouble | None:
        """Return what goes wrong with ``subject`` on an occasion; the same each time it is asked."""
        chance = random.Random(f"{self.seed}:{subject}:{occasion}")  # noqa: S311 - reproducible, no secret
        if chance.random() >= self.rate:
            return None
        kind = chance.choice(kinds_of(occasion))
        return Trouble(kind, chance.choice(_TIMES.get(kind, _USUAL_TIMES)), chance.choice(PHASES[occasion]))
