"""Brings a machine to what was ordered: installed, on or off, or in rescue. Every call blocks, for minutes."""

from collections.abc import Mapping
from typing import Any

from uuid_utils.compat import uuid7

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState
from pxe.errors import ApiRefused, PhaseOverdue
from pxe.holding import Holding
from pxe.inputs import InstallationInputs
from pxe.power.interfaces import PowerState
from pxe.views import DeploymentStatus, DeploymentView, MachineView

_DIGEST_CHARACTERS = 12
_CONFLICT = 409


class Installer:
    """One machine, by what the stack wants of it.

    What is done already is found out by looking, so a run that was cut off is just run again.
    """

    def __init__(self, holding: Holding, wanted: InstallationInputs) -> None:
        self._at, self._wanted = holding, wanted

    def install(self) -> DeploymentView:
        """Have what the profile says on the disks.

        Raises:
            ApiRefused: the API has another profile than the stack.
            MetalError: as :meth:`Holding.see_through`.
        """
        wanted = self._wanted
        machine = self._held()
        if machine.profile_digest != wanted.profile_digest:
            raise ApiRefused(
                f"machine '{machine.name}' would be installed by another profile than this stack's; run again",
                _CONFLICT,
                "other_profile",
            )
        key = f"install-{wanted.installation}-{wanted.profile_digest[:_DIGEST_CHARACTERS]}"
        deployment = self._at.open(DeploymentKind.INSTALL, key, self._is_installed)
        if deployment.status is DeploymentStatus.SUCCEEDED:
            self._at.say("an earlier run has installed it")
            return deployment
        deployment = self._at.see_through(deployment, DeploymentPhase.FIRST_BOOT)
        if deployment.status is DeploymentStatus.OPEN:
            self._verify(deployment)
            self._at.api.tell(deployment.id, DeploymentPhase.DONE, "verified")
        return self._at.api.deployment(deployment.id)

    def settle(self) -> None:
        """Bring rescue, boot order and power to what is wanted, and the machine off the provisioning network."""
        self._settle()
        self._at.power.leave_network()

    def _settle(self) -> None:
        wanted, machine = self._wanted, self._held()
        if wanted.rescue:
            if machine.state is not MachineState.RESCUE:
                self._enter_rescue(machine)
            else:
                self._at.power.on()
            return
        if machine.state is MachineState.RESCUE:
            self._leave_rescue()
        self._at.power.from_disk()
        if wanted.started:
            self._at.power.on()
        elif self._at.power.state() is not PowerState.OFF:
            self._at.power.off()

    def _held(self) -> MachineView:
        return self._at.held(self._wanted.machine_id, self._wanted.workload_id)

    def _is_installed(self) -> bool:
        installed = self._held().installed
        return installed is not None and installed.profile_digest == self._wanted.profile_digest

    def _verify(self, deployment: DeploymentView) -> None:
        """The installed system has said itself that it runs; where SSH can be reached from here, that is seen too."""
        answers = self._at.answers
        if answers is None:
            return
        seconds = self._at.deadlines.of(deployment.kind, DeploymentPhase.FIRST_BOOT)
        place = str(self._wanted.address)
        deadline = self._at.clock() + seconds
        while not answers(place):
            if self._at.clock() > deadline:
                error = PhaseOverdue(
                    f"it was installed and runs, and SSH did not answer at {place} for {seconds:.0f} s",
                    is_retryable=True,
                )
                raise self._at.give_up(deployment, error, "ssh_silent")
            self._at.pause(self._at.deadlines.poll)

    def _enter_rescue(self, machine: MachineView) -> None:
        """A fresh deployment each time: a machine may go there as often as its owner likes."""
        deployment = machine.deployment
        if deployment is None or deployment.kind is not DeploymentKind.RESCUE:
            deployment = self._at.open(DeploymentKind.RESCUE, f"rescue-{uuid7()}", lambda: False)
        deployment = self._at.see_through(deployment, DeploymentPhase.FIRST_BOOT)
        if deployment.status is DeploymentStatus.OPEN:
            self._at.api.tell(deployment.id, DeploymentPhase.DONE, "the rescue system answers")

    def _leave_rescue(self) -> None:
        """The API first: from then on the machine is given nothing but its own disks."""
        self._at.api.leave_rescue()
        self._at.power.end_system()


def found(machine: MachineView, holding: Holding, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return an installation's outputs: by the inputs' names, what is really there.

    Args:
        machine: by the API.
        holding: for its BMC, which is asked twice.
        known: what cannot be looked up: the inputs, or the state.
    """
    power = holding.power.state()
    installed = machine.installed
    return {
        "machine_id": str(machine.machine_id),
        "name": machine.name,
        "workload_id": str(machine.workload_id),
        "image": installed.image if installed else "",
        "profile_digest": installed.profile_digest if installed else "",
        "installation": int(known["installation"]),
        "started": bool(known["started"]) if power is PowerState.UNKNOWN else power is PowerState.ON,
        "rescue": machine.state is MachineState.RESCUE,
        "boots_from": holding.power.boots_from(),
        "address": known["address"],
        "phase_seconds": dict(known.get("phase_seconds") or {}),
    }
