"""Wipes a machine when its workload ends. Every call blocks; overwriting disks takes hours."""

from pydantic import SecretStr

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import MetalError
from pxe.holding import Holding
from pxe.inputs import WipeInputs
from pxe.power.interfaces import PowerState
from pxe.views import DeploymentStatus, DeploymentView, MachineView


class Wiper:
    """One machine, at the end of one workload.

    Args:
        holding: the machine.
        held: which it is.
        password: what our BMC user has from now on; None leaves the BMC's users alone.
    """

    def __init__(self, holding: Holding, held: WipeInputs, password: SecretStr | None) -> None:
        self._at, self._held, self._password = holding, held, password

    def wipe(self) -> None:
        """Wipe the disks, clean the BMC, and leave the machine off.

        A machine that is somebody else's by now is left alone; so is one that nothing was written to. What an earlier
        run has wiped is not wiped twice.

        Raises:
            InQuarantine: it failed before, and a person has to look first.
            MetalError: as :meth:`Holding.see_through`; the API puts the machine into quarantine itself.
        """
        if self._at.machine(self._held.machine_id, self._held.workload_id) is None:
            return
        machine = self._look()
        if machine.state is MachineState.RESERVED and machine.wiped_since_use:
            self._at.say("nothing was written to it; there is nothing to wipe")
            return
        if not machine.wiped_since_use:
            self._wipe_disks()
        self._at.power.rest()
        self._at.say("cleaning its BMC: boot entries and users")
        self._at.power.clean(self._password)

    def _look(self) -> MachineView:
        return self._at.held(self._held.machine_id, self._held.workload_id)

    def _wipe_disks(self) -> None:
        key = f"wipe-{self._held.workload_id}"
        deployment = self._at.open(DeploymentKind.WIPE, key, lambda: self._look().wiped_since_use)
        if deployment.status is DeploymentStatus.SUCCEEDED:
            return
        deployment = self._at.see_through(deployment, DeploymentPhase.REBOOT)
        self._await_off()
        self._finish(deployment)

    def _await_off(self) -> None:
        """It switches itself off once its report is in; one that does not is switched off by whoever called.

        One that could not be switched on again stays in the deployer, which has nothing more to do.
        """
        deadline = self._at.clock() + self._at.deadlines.off
        while self._at.clock() < deadline and self._at.power.tells_state:
            if self._at.power.state() is not PowerState.ON:
                return
            self._at.pause(self._at.deadlines.poll)

    def _finish(self, deployment: DeploymentView) -> None:
        if self._at.api.deployment(deployment.id).status is DeploymentStatus.OPEN:
            self._at.api.tell(deployment.id, DeploymentPhase.DONE, "wiped, and off")
        if not self._look().wiped_since_use:
            raise MetalError("the machine says that it wiped itself, and the API has no report that proves it")
