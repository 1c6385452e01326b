"""One machine in the hands of one operation: the API's word of it, its power, and deployments to it."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.client import MachineApi
from pxe.deadlines import Deadlines
from pxe.errors import Cancelled, DeploymentFailed, InQuarantine, MetalError, PhaseOverdue, WrongMachine
from pxe.following import CancelAsked, Dark, Ended, Eyes, Following, Halt, Overdue, Silent, why
from pxe.obedience import MachinePower
from pxe.views import DeploymentStatus, DeploymentView, MachineView

MOST_DEPLOYMENTS = 30
"""Of one purpose; one that failed is followed by another of the next name."""
MOST_REVIVALS = 2
"""How often a machine that went dark or silent, or did not come, is started again within one deployment."""

_P = DeploymentPhase
_HOW: Mapping[type[Halt], str] = MappingProxyType(
    {Dark: "went dark", Silent: "fell silent", Overdue: "did not boot from the network"}
)
_BEFORE_DISK = frozenset({None, _P.POWER, _P.SCRIPT, _P.INSPECT, _P.WRITE, _P.VERIFY, _P.CONFIGURE})


def to_the_engine(line: str) -> None:
    """Print a line: the engine shows what its plugins print as messages of the update."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that is needed for one machine.

    Attributes:
        api: by the operation's grant.
        power: by its BMC.
        answers: whether SSH answers at an address; None where the worker does not reach customers' addresses.
        is_stopping: whether this process was told to end.
    """

    api: MachineApi
    power: MachinePower
    deadlines: Deadlines
    answers: Callable[[str], bool] | None = None
    say: Callable[[str], None] = to_the_engine
    is_stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = field(default=time.sleep)

    def machine(self, machine_id: UUID, workload_id: UUID) -> MachineView | None:
        """Look at the machine; None if it is not this workload's, or not any more.

        Raises:
            WrongMachine: the grant is for another one.
        """
        found = self.api.machine()
        if found is None or found.workload_id != workload_id:
            return None
        if found.machine_id != machine_id:
            raise WrongMachine(
                f"this operation may act on machine '{found.name}' ({found.machine_id}), and not on the stack's, "
                f"{machine_id}"
            )
        return found

    def held(self, machine_id: UUID, workload_id: UUID) -> MachineView:
        """Return the machine, which has to be the workload's, and out of quarantine.

        Raises:
            WrongMachine: it is not the workload's.
            InQuarantine: a person has to look at it first.
        """
        found = self.machine(machine_id, workload_id)
        if found is None:
            raise WrongMachine(f"machine {machine_id} is not held for workload {workload_id}")
        if found.state is MachineState.QUARANTINE:
            raise InQuarantine(f"machine '{found.name}' is in quarantine; a person has to look at it first")
        return found

    def open(self, kind: DeploymentKind, key: str, is_done: Callable[[], bool]) -> DeploymentView:
        """Open a deployment for a purpose, or go on with the one that an earlier run has opened.

        Args:
            kind: what for.
            key: names the purpose. One that failed stays failed: the next try is another deployment, ``KEY-2``.
            is_done: whether a deployment that succeeded is still what is there; else the purpose begins anew.
        """
        for number in range(1, MOST_DEPLOYMENTS + 1):
            found = self.api.open(kind, key if number == 1 else f"{key}-{number}")
            if found.status is DeploymentStatus.OPEN:
                return found
            if found.status is DeploymentStatus.SUCCEEDED and is_done():
                return found
        raise DeploymentFailed(f"'{key}' was tried {MOST_DEPLOYMENTS} times; somebody has to look at the machine")

    def abort(self, code: str, detail: str) -> None:
        """End whatever deployment is open."""
        found = self.api.machine()
        if found is None or found.deployment is None or found.deployment.status is not DeploymentStatus.OPEN:
            return
        self.api.fail(found.deployment.id, code, detail)

    def see_through(self, deployment: DeploymentView, goal: DeploymentPhase) -> DeploymentView:
        """Boot the machine for a deployment, unless an earlier run has, and block until it is as far as ``goal``.

        A machine that goes dark, falls silent while it writes, or does not ask for its script is started once more, and
        then given up.

        Raises:
            Cancelled: the machine is off, and its deployment over.
            DeploymentFailed: the machine said so, or somebody else did; it is off.
            PhaseOverdue: the same for a machine that says nothing.
            BmcFailed: the deployment is left open: the next try goes on with it.
        """
        is_fresh = deployment.phase in {None, _P.POWER} and deployment.status is DeploymentStatus.OPEN
        revivals, went = 0, None
        while True:
            try:
                if went is not None:
                    self._revive(went)
                elif is_fresh:
                    self._start(deployment, "told to boot from the network, and switched on")
                return self._following(deployment.id).until(goal)
            except (Dark, Silent, Overdue) as halt:
                if revivals >= MOST_REVIVALS or not _may_revive(halt, revivals):
                    raise self._given_up(halt) from None
                revivals, went = revivals + 1, halt
            except Halt as halt:
                raise self._given_up(halt) from None

    def _start(self, deployment: DeploymentView, detail: str) -> None:
        self.api.tell(deployment.id, _P.POWER, detail)
        self.power.boot_network(lambda: self._still_wanted(deployment.id))

    def _still_wanted(self, deployment_id: UUID) -> None:
        """Ends the wait for a BMC that is of no use, or for a rescue system, either of which may take minutes.

        Raises:
            Halt: the operation is cancelled, or the deployment over.
        """
        found = self.api.deployment(deployment_id)
        if found.is_cancel_requested or self.is_stopping():
            raise CancelAsked(found)
        if found.status is not DeploymentStatus.OPEN:
            raise Ended(found)

    def _revive(self, halt: Halt) -> None:
        deployment = halt.deployment
        if deployment.phase in _BEFORE_DISK:
            how = _HOW[type(halt)]
            self._start(deployment, f"it {how}: told so once more, and switched on")
        else:
            self.say("its power is off; switching it on")
            self.power.on()

    def _following(self, deployment_id: UUID) -> Following:
        eyes = Eyes(
            look=lambda: self.api.deployment(deployment_id),
            is_off=self.power.is_off,
            is_stopping=self.is_stopping,
            clock=self.clock,
            pause=self.pause,
        )
        return Following(eyes, self.deadlines, self.say)

    def give_up(self, deployment: DeploymentView, error: PhaseOverdue, code: str) -> PhaseOverdue:
        """End a deployment for a reason of our own, switch the machine off, and return the error to raise."""
        self.api.fail(deployment.id, code, error.sentence)
        self._dark()
        return error

    def _given_up(self, halt: Halt) -> MetalError:
        """End the deployment first: from then on the machine is told to stop, whatever its power does."""
        sentence, deployment = why(halt, self.deadlines), halt.deployment
        if not isinstance(halt, Ended):
            code = "cancelled" if isinstance(halt, CancelAsked) else "deadline"
            self.api.fail(deployment.id, code, sentence)
        is_dark = self._dark(in_a_hurry=isinstance(halt, CancelAsked))
        if isinstance(halt, CancelAsked):
            left = "the machine is switched off" if is_dark else "the machine may stay on, and touches no disk any more"
            return Cancelled(f"{deployment.kind}: {sentence}; {left}")
        kind = DeploymentFailed if isinstance(halt, Ended) else PhaseOverdue
        return kind(f"{deployment.kind}: {sentence}", is_retryable=not self._is_quarantined())

    def _dark(self, *, in_a_hurry: bool = False) -> bool:
        """Switch it off, and say whether it took that. If that fails, what is to be told is why it was to be off.

        Its deployment is over: a machine that stays on is told to touch nothing more, and the next try switches it off.
        """
        try:
            return self.power.rest(in_a_hurry=in_a_hurry)
        except MetalError as error:
            self.say(f"it could not be switched off: {error.sentence}")
            return False

    def _is_quarantined(self) -> bool:
        found = self.api.machine()
        return found is None or found.state is MachineState.QUARANTINE


def _may_revive(halt: Halt, revivals: int) -> bool:
    """A machine that did not come at all gets one more chance; one that hangs later has nothing to gain by it."""
    if isinstance(halt, Dark | Silent):
        return True
    return halt.deployment.phase in {None, _P.POWER} and revivals == 0
