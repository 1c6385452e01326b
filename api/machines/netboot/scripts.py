"""Boot scripts: who gets one that does more than boot the disk, and with what token."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.alerts.models import Alert, AlertKind
from api.alerts.service import raise_alert, resolve
from api.auth.credentials import digest
from api.machines.deployments import Deployments
from api.machines.lifecycle import lock_machine
from api.machines.models import Deployment, Machine
from api.machines.netboot.decision import MAX_BOOTS, Answer, OpenDeployment, decide
from api.machines.netboot.lookup import is_cancelled
from api.machines.netboot.tokens import callback_of, new_token
from api.machines.outcomes import DeploymentOutcomes
from components.specs.machine import BootProfile, DeploymentKind, DeploymentPhase, ImageFormat

MAX_STRANGERS = 50
"""So many unknown MAC addresses get an alert of their own; who sends more is told of once."""
_CROWD = "many"
_INSTALLED = "The machine boots from its disk: its installation is there."


@dataclass(frozen=True, slots=True)
class BootFromNetwork:
    """What a machine is to load, and what it shows when it has.

    Attributes:
        image_name: of an installer, which has kernel and initrd of its own.
    """

    deployment_id: UUID
    token: str
    mac: str
    kind: DeploymentKind
    format: ImageFormat = ImageFormat.RAW
    image_name: str = ""


@dataclass(frozen=True, slots=True)
class BootFromDisk:
    """The machine's own disk, and why, in words for its console."""

    why: str


class BootScripts:
    """Decides what machines boot; the caller's transaction commits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deployments = Deployments(session)

    def answer(self, mac: str) -> BootFromNetwork | BootFromDisk:
        """Return what the machine with this MAC address (lower case, colons) boots; each answer counts as a boot."""
        machine_id = self._session.scalar(select(Machine.id).where(Machine.boot_mac == mac))
        if machine_id is None:
            self._tell_of_stranger(mac)
            return BootFromDisk("this machine is not known here")
        machine = lock_machine(self._session, machine_id)
        resolve(self._session, AlertKind.UNKNOWN_BOOT, mac)
        now = self._session.execute(select(func.now())).scalar_one()
        machine.last_seen_at = now
        deployment = self._deployments.open_of(machine)
        answer = decide(machine.state, None if deployment is None else self._view(deployment), now)
        if answer is Answer.OWN_DISK_UNASKED:
            self._tell_of_boot_order(machine)
        if deployment is None or answer in {Answer.OWN_DISK, Answer.OWN_DISK_UNASKED}:
            return BootFromDisk(f"nothing is to be done to this machine ({machine.state})")
        if answer is Answer.OWN_DISK_INSTALLED:
            self._tell_once(deployment)
            return BootFromDisk("the installation is on the disk")
        if answer is Answer.OWN_DISK_BOOT_LOOP:
            detail = f"the machine asked for a boot script more than {MAX_BOOTS} times without getting done"
            DeploymentOutcomes(self._session).fail(machine, deployment, "boot_loop", detail)
            return BootFromDisk("this deployment has failed")
        return self._boot(machine, deployment)

    def _boot(self, machine: Machine, deployment: Deployment) -> BootFromNetwork:
        token = new_token()
        profile = None if deployment.profile is None else BootProfile.model_validate(deployment.profile)
        is_install = deployment.kind is DeploymentKind.INSTALL and profile is not None
        image_format = profile.image.format if profile is not None and is_install else ImageFormat.RAW
        deployment.boots += 1
        deployment.token_hash, deployment.token_spent_at = digest(token), None
        if image_format is not ImageFormat.RAW:
            # An installer has no session: what its system shows in the end follows from the token.
            deployment.callback_hash = digest(callback_of(token))
        message = f"The machine asked for its boot script ({deployment.boots} of at most {MAX_BOOTS})."
        self._deployments.tell(deployment, message, DeploymentPhase.SCRIPT)
        name = profile.image.name if profile is not None and is_install else ""
        return BootFromNetwork(deployment.id, token, machine.boot_mac, deployment.kind, image_format, name)

    def _view(self, deployment: Deployment) -> OpenDeployment:
        return OpenDeployment(
            kind=deployment.kind,
            phase=deployment.phase,
            boots=deployment.boots,
            deadline_at=deployment.deadline_at,
            is_cancelled=is_cancelled(self._session, deployment),
        )

    def _tell_once(self, deployment: Deployment) -> None:
        if deployment.token_hash is not None:
            deployment.token_hash = None
            self._deployments.tell(deployment, _INSTALLED)

    def _tell_of_boot_order(self, machine: Machine) -> None:
        message = (
            f"machine '{machine.name}' is a customer's and asked for a boot script; it was told to boot its own disk. "
            "Its boot order is wrong: the disk comes first"
        )
        raise_alert(self._session, AlertKind.UNKNOWN_BOOT, "machine", machine.id, message)

    def _tell_of_stranger(self, mac: str) -> None:
        """Open one alert a MAC address, up to a number that nobody could look through."""
        is_open = Alert.resolved_at.is_(None) & (Alert.kind == AlertKind.UNKNOWN_BOOT) & (Alert.subject_type == "mac")
        others = select(func.count()).select_from(Alert).where(is_open, Alert.subject_id != mac)
        if (self._session.scalar(others) or 0) < MAX_STRANGERS:
            message = f"a machine with the unknown MAC address {mac} asked for a boot script; it got none"
            raise_alert(self._session, AlertKind.UNKNOWN_BOOT, "mac", mac, message)
        else:
            message = f"more than {MAX_STRANGERS} unknown MAC addresses ask for boot scripts; they get none"
            raise_alert(self._session, AlertKind.UNKNOWN_BOOT, "network", _CROWD, message)
