"""What is to lie on a machine's disk, and what an installer is told: who may read it, and whether it is the machine."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert
from api.errors import InvalidInput, NotFound, SlipwayError
from api.machines.errors import WrongMachine
from api.machines.models import Deployment, Machine
from api.machines.netboot.errors import TokenRefused
from api.machines.netboot.lookup import authorise, lock_by_token
from api.machines.netboot.phases import Progress
from api.machines.netboot.text import clean_line
from api.machines.netboot.tokens import callback_of
from api.machines.outcomes import DeploymentOutcomes
from components.specs.machine import BootProfile, ImageFormat


@dataclass(frozen=True, slots=True)
class Seed:
    """All that a machine's configuration is rendered from.

    Attributes:
        boot_mac: of the card that gets the addresses; lower case, colons.
        callback: what the installed system shows when it calls back.
    """

    deployment_id: UUID
    profile: BootProfile
    boot_mac: str
    serial: str
    callback: str


class Seeding:
    """Gives out seeds; the caller's transaction commits, returned refusals included."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_session(self, deployment_id: UUID, secret: str) -> Seed:
        """Return the seed for the boot whose session this is.

        Raises:
            NotFound, DeploymentOver, SessionRefused: as ``authorise``.
            NotFound: if the deployment installs nothing.
        """
        machine, deployment = authorise(self._session, deployment_id, secret)
        return _seed(machine, deployment, secret)

    def of_token(self, token: str) -> Seed | SlipwayError:
        """Return the seed for an installer; good until the installer has told its first phase.

        Raises:
            TokenRefused, DeploymentOver: as ``lock_by_token``.
            NotFound: if the deployment has no installer.
        """
        machine, deployment = lock_by_token(self._session, token)
        seed = _installer_seed(machine, deployment, token)
        if deployment.token_spent_at is not None:
            message = f"an installer's files for machine '{machine.name}' were asked for after it had begun"
            raise_alert(self._session, AlertKind.TOKEN_MISUSED, "machine", machine.id, message)
            return TokenRefused("this token is spent: the installer has begun")
        return seed

    def phase(self, token: str, name: str, detail: str, serial: str) -> SlipwayError | None:
        """Note an installer's phase; its first one has to show the machine's serial number, and spends the token.

        Raises:
            TokenRefused, DeploymentOver: as ``lock_by_token``.
            InvalidInput: if this is no phase that an installer tells.
        """
        machine, deployment = lock_by_token(self._session, token)
        _installer_seed(machine, deployment, token)
        is_first = deployment.token_spent_at is None
        if is_first:
            deployment.token_spent_at = self._session.execute(select(func.now())).scalar_one()
        if (is_first or serial) and serial != machine.serial:
            why = f"the serial number is '{clean_line(serial, 64)}', and this machine has '{machine.serial}'"
            DeploymentOutcomes(self._session).fail(machine, deployment, WrongMachine.code, why)
            return WrongMachine(f"{why}: touch nothing")
        try:
            Progress(self._session).note(deployment, name, detail)
        except InvalidInput as error:
            return error
        return None

    def failure(self, token: str, code: str, detail: str) -> None:
        """End the deployment: the installer has given up.

        Raises:
            TokenRefused, DeploymentOver: as ``lock_by_token``.
        """
        machine, deployment = lock_by_token(self._session, token)
        _installer_seed(machine, deployment, token)
        Progress(self._session).give_up(machine, deployment, code, detail)


def _installer_seed(machine: Machine, deployment: Deployment, token: str) -> Seed:
    seed = _seed(machine, deployment, token)
    if seed.profile.image.format is ImageFormat.RAW:
        raise NotFound("this deployment has no installer")
    return seed


def _seed(machine: Machine, deployment: Deployment, secret: str) -> Seed:
    if deployment.profile is None:
        raise NotFound("this deployment installs nothing")
    profile = BootProfile.model_validate(deployment.profile)
    return Seed(deployment.id, profile, machine.boot_mac, machine.serial, callback_of(secret))
