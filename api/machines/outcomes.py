"""What becomes of a machine when a deployment of it ends: one place, whoever says that it has ended.

The caller has locked the machine with ``lock_machine``, then the deployment; the caller's transaction commits. All of
it can be said twice: what has been drawn from an end already changes nothing more.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.errors import Conflict
from api.machines.deployments import STATES, Deployments
from api.machines.errors import NotWiped, WrongMachine
from api.machines.lifecycle import is_wiped, move
from api.machines.models import Deployment, DeploymentStatus, Machine, WipeReport
from api.machines.profiles import installed_document
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState

_KINDS: Mapping[DeploymentKind, str] = MappingProxyType(
    {
        DeploymentKind.INSPECT: "the inspection",
        DeploymentKind.INSTALL: "the installation",
        DeploymentKind.WIPE: "the wipe",
        DeploymentKind.RESCUE: "the rescue system",
    }
)
_TOLD_BY_THE_MACHINE = frozenset(DeploymentPhase) - {
    DeploymentPhase.POWER,
    DeploymentPhase.SCRIPT,
    DeploymentPhase.DONE,
}
_BACKSTOP_CODES = frozenset({WrongMachine.code})


class DeploymentOutcomes:
    """Ends deployments, and moves their machines on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deployments = Deployments(session)

    def succeed(self, machine: Machine, deployment: Deployment, detail: str = "") -> None:
        """End a deployment that the control plane has verified; an installed machine is its customer's from here on.

        A wiped machine stays ``cleaning`` or ``clean``: whoever had it wiped offers it again, through the wipe gate.

        Raises:
            DeploymentOver: if it has failed or was aborted.
            NotWiped: if it is a wipe, and no report proves it.
            Conflict: if the machine has never shown itself, so that nothing can have been done to it.
        """
        if deployment.status is DeploymentStatus.SUCCEEDED:
            return
        self._deployments.check_open(deployment)
        self._check_done(machine, deployment)
        self._deployments.tell(deployment, detail or "Verified.", DeploymentPhase.DONE)
        self._deployments.end(deployment, DeploymentStatus.SUCCEEDED)
        if deployment.kind is DeploymentKind.INSTALL:
            self._install(machine, deployment)
        elif deployment.kind is DeploymentKind.WIPE:
            machine.installed = None

    def fail(self, machine: Machine, deployment: Deployment, code: str, detail: str) -> None:
        """End a deployment that has failed, and put its machine where it belongs then.

        ``quarantine`` after a wipe or an inspection that failed, and whenever another machine answered; an
        installation stays ``deploying`` for another try or a wipe; a machine whose rescue system did not come up is its
        customer's as before. One that has ended already keeps its code.
        """
        if deployment.status is DeploymentStatus.OPEN:
            self._deployments.tell(deployment, f"Failed: {detail or code}")
            self._deployments.end(deployment, DeploymentStatus.FAILED, code, detail)
        if deployment.status is DeploymentStatus.FAILED:
            self.draw(machine, deployment)

    def abort(self, machine: Machine, reason: str) -> None:
        """End the machine's open deployment, if there is one, without a judgement on the machine."""
        deployment = self._deployments.open_of(machine)
        if deployment is not None:
            self._deployments.tell(deployment, f"Aborted: {reason}")
            self._deployments.end(deployment, DeploymentStatus.ABORTED, "aborted", reason)

    def draw(self, machine: Machine, deployment: Deployment) -> None:
        """Move the machine of a deployment that has failed; does nothing if it has moved on since."""
        if machine.state not in STATES[deployment.kind] or self._has_newer(deployment):
            return
        code = deployment.error_code or "unknown"
        why = f"{_KINDS[deployment.kind]} failed ({code}): {deployment.error_detail or 'nothing more is known'}"
        is_suspect = code in _BACKSTOP_CODES
        if is_suspect or deployment.kind in {DeploymentKind.WIPE, DeploymentKind.INSPECT}:
            move(self._session, machine, MachineState.QUARANTINE, why)
        elif deployment.kind is DeploymentKind.RESCUE:
            move(self._session, machine, MachineState.ACTIVE, why)

    def _check_done(self, machine: Machine, deployment: Deployment) -> None:
        if deployment.phase not in _TOLD_BY_THE_MACHINE:
            told = deployment.phase or "nothing"
            raise Conflict(f"machine '{machine.name}' has not shown itself for this deployment: it is at '{told}'")
        if deployment.kind is DeploymentKind.WIPE:
            proof = select(WipeReport.id).where(WipeReport.deployment_id == deployment.id)
            if self._session.execute(proof).one_or_none() is None or not is_wiped(machine):
                raise NotWiped(f"machine '{machine.name}' has sent no report that proves that its disks are empty")

    def _install(self, machine: Machine, deployment: Deployment) -> None:
        now = self._session.execute(select(func.now())).scalar_one()
        machine.installed = installed_document(deployment.profile or {}, now.isoformat())
        move(self._session, machine, MachineState.ACTIVE, f"installed with '{machine.installed['image']}'")

    def _has_newer(self, deployment: Deployment) -> bool:
        newer = select(Deployment.id).where(
            Deployment.machine_id == deployment.machine_id, Deployment.id > deployment.id
        )
        return self._session.execute(newer.limit(1)).first() is not None
