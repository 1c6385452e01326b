"""What a machine that asks for a boot script is given: a pure decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType

from api.machines.deployments import STATES
from components.specs.machine import NETBOOTED, DeploymentKind, DeploymentPhase, MachineState

MAX_BOOTS = 3
"""So many scripts does one deployment get; whoever asks again has ignored what it was told, or fails each time."""

_ON_DISK = frozenset({DeploymentPhase.REBOOT, DeploymentPhase.FIRST_BOOT, DeploymentPhase.DONE})
"""From here on the installation is on the disk."""


class Answer(Enum):
    """What the script does."""

    OWN_DISK = auto()
    OWN_DISK_UNASKED = auto()
    """The same, and somebody should know: this machine has no business to boot from the network."""
    OWN_DISK_INSTALLED = auto()
    """The same, because the installation is there already: firmware that ignores "boot once" starts it this way."""
    OWN_DISK_BOOT_LOOP = auto()
    """The same, and the deployment has failed."""
    NETWORK = auto()


@dataclass(frozen=True, slots=True)
class OpenDeployment:
    """What matters here of the machine's open deployment.

    Attributes:
        is_cancelled: somebody has asked for the end of its operation.
    """

    kind: DeploymentKind
    phase: DeploymentPhase | None
    boots: int
    deadline_at: datetime
    is_cancelled: bool = False


def decide(state: MachineState, deployment: OpenDeployment | None, now: datetime) -> Answer:
    """Decide for a machine that we know. Anything but its own disk takes a deployment that is open, in its state."""
    if state is MachineState.ACTIVE:
        return Answer.OWN_DISK_UNASKED
    if deployment is None or not is_for(state, deployment.kind) or deployment.is_cancelled:
        return Answer.OWN_DISK
    if deployment.kind is DeploymentKind.INSTALL and deployment.phase in _ON_DISK:
        return Answer.OWN_DISK_INSTALLED
    if now >= deployment.deadline_at:
        return Answer.OWN_DISK
    return Answer.OWN_DISK_BOOT_LOOP if deployment.boots >= MAX_BOOTS else Answer.NETWORK


def is_for(state: MachineState, kind: DeploymentKind) -> bool:
    """Tell whether a machine in this state may be booted for this."""
    return state in NETBOOTED and state in STATES[kind]


AFTER: Mapping[DeploymentKind, str] = MappingProxyType(
    {
        DeploymentKind.INSPECT: "poweroff",
        DeploymentKind.INSTALL: "reboot",
        DeploymentKind.WIPE: "poweroff",
        DeploymentKind.RESCUE: "reboot",
    }
)
"""What a machine does when it has done what it was booted for."""
