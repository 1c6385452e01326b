"""Waits for a machine to go through a deployment's phases. Knows no HTTP and no BMC: it is given eyes and a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from components.specs.machine import DeploymentPhase
from pxe.deadlines import Deadlines
from pxe.views import DeploymentStatus, DeploymentView

ORDER = tuple(DeploymentPhase)


def has_reached(deployment: DeploymentView, goal: DeploymentPhase) -> bool:
    """Tell whether a deployment is as far as ``goal``, or over and well."""
    if deployment.status is DeploymentStatus.SUCCEEDED:
        return True
    return deployment.phase is not None and ORDER.index(deployment.phase) >= ORDER.index(goal)


class Halt(Exception):  # noqa: N818 - why there is no going on as before
    """Why a machine is not followed any longer; whoever follows decides what becomes of it.

    Attributes:
        deployment: as it was seen last.
    """

    meaning: ClassVar[str] = ""

    def __init__(self, deployment: DeploymentView) -> None:
        self.deployment = deployment
        super().__init__(self.meaning)


class CancelAsked(Halt):
    """Somebody wants the operation to end."""


class Ended(Halt):
    """The machine has given up, or somebody has aborted it."""


class Overdue(Halt):
    """It stayed in its phase longer than it may."""


class Silent(Halt):
    """Its initrd has said nothing for so long that something else must run: it was restarted behind our back."""


class Dark(Halt):
    """Its power is off, and it should not be."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a machine is followed with.

    Attributes:
        look: at the deployment.
        is_off: whether the machine is certainly off. Asked rarely; what cannot be told is a no.
        is_stopping: whether this process was told to end.
        clock: seconds that only grow.
        pause: waits so many seconds.
    """

    look: Callable[[], DeploymentView]
    is_off: Callable[[], bool]
    is_stopping: Callable[[], bool]
    clock: Callable[[], float]
    pause: Callable[[float], None]


class Following:
    """Follows one deployment.

    Args:
        eyes: see there.
        deadlines: how long what may take.
        say: takes a line for people, one for each new phase.
    """

    def __init__(self, eyes: Eyes, deadlines: Deadlines, say: Callable[[str], None]) -> None:
        self._eyes, self._deadlines, self._say = eyes, deadlines, say

    def until(self, goal: DeploymentPhase) -> DeploymentView:
        """Block until the deployment is as far as ``goal``.

        A machine that asks for its boot script once more is given its time anew: it had its power cut, or crashed.

        Raises:
            Halt: see its kinds.
            MetalError: the API cannot be asked any more.
        """
        seen: tuple[DeploymentPhase | None, int] | None = None
        since = looked = self._eyes.clock()
        dark = 0
        while True:
            deployment = self._eyes.look()
            now = self._eyes.clock()
            if (deployment.phase, deployment.boots) != seen:
                seen, since, looked, dark = (deployment.phase, deployment.boots), now, now, 0
                self._tell(deployment)
            if has_reached(deployment, goal):
                return deployment
            self._halt(deployment, now - since)
            if now - looked >= self._deadlines.look:
                looked = now
                dark = dark + 1 if self._eyes.is_off() else 0
                if dark > 1:  # once may be a restart that was seen half-way
                    raise Dark(deployment)
            self._eyes.pause(self._deadlines.poll)

    def _halt(self, deployment: DeploymentView, stayed: float) -> None:
        if deployment.is_cancel_requested or self._eyes.is_stopping():
            raise CancelAsked(deployment)
        if deployment.status is not DeploymentStatus.OPEN:
            raise Ended(deployment)
        if stayed > self._deadlines.of(deployment.kind, deployment.phase):
            raise Overdue(deployment)
        is_writing = deployment.phase is DeploymentPhase.WRITE
        if is_writing and (deployment.silent_seconds or 0.0) > self._deadlines.silence:
            raise Silent(deployment)

    def _tell(self, deployment: DeploymentView) -> None:
        if deployment.phase is not None:
            again = f", boot {deployment.boots}" if deployment.boots > 1 else ""
            self._say(f"{deployment.kind}: {deployment.phase}{again}")


def why(halt: Halt, deadlines: Deadlines) -> str:
    """Say in a sentence why a machine was given up."""
    deployment = halt.deployment
    phase = deployment.phase or DeploymentPhase.POWER
    if isinstance(halt, Overdue):
        seconds = deadlines.of(deployment.kind, deployment.phase)
        likely = f": {_LIKELY[phase]}" if phase in _LIKELY else ""
        return f"{_OVERDUE.get(phase, f'it stayed in {phase}')} for {seconds:.0f} s{likely}"
    if isinstance(halt, Dark):
        return f"its power went off in phase '{phase}', again after it was switched on"
    if isinstance(halt, Silent):
        return f"it said nothing in phase '{phase}' for {deadlines.silence:.0f} s, again after it was started anew"
    if isinstance(halt, CancelAsked):
        return "the operation was cancelled"
    said = ": ".join(filter(None, (deployment.error_code, deployment.error_detail)))
    return f"the {deployment.kind} is {deployment.status} in phase '{phase}'{f' ({said})' if said else ''}"


_OVERDUE = {
    DeploymentPhase.POWER: "it was told to boot from the network and did not ask for its boot script",
    DeploymentPhase.SCRIPT: "it was given its boot script, and its kernel did not report",
    DeploymentPhase.REBOOT: "it was installed, and the system on its disks did not report",
}
_LIKELY = {
    DeploymentPhase.POWER: (
        "probably nobody answered its DHCP request (is dnsmasq running, and does it know the machine's boot MAC?), or "
        "its firmware does not boot from the network"
    ),
}
