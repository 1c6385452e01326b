"""What machines tell while they are at it: how far they are, why they give up, that they run, what they print."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert
from api.auth.credentials import matches
from api.errors import InvalidInput, SlipwayError
from api.machines.deployments import Deployments
from api.machines.models import ConsoleChunk, Deployment, DeploymentEvent, Machine
from api.machines.netboot.codes import FailureCode, failure_code
from api.machines.netboot.errors import TokenRefused
from api.machines.netboot.lookup import authorise, check_under_way, lock_deployment
from api.machines.netboot.text import clean_console, clean_line
from api.machines.outcomes import DeploymentOutcomes
from components.specs.machine import DeploymentKind, DeploymentPhase

MAX_CHUNKS = 200
MAX_LINES = 2000
"""A deployment's log ends here: a machine that tells without end must not fill the table. It works on unheard."""

_P = DeploymentPhase
_WORDS: Mapping[DeploymentPhase, str] = MappingProxyType(
    {
        _P.INSPECT: "Looking at the hardware",
        _P.WRITE: "Writing the image to the disk",
        _P.VERIFY: "Comparing what was written",
        _P.CONFIGURE: "Placing name, keys and network",
        _P.REBOOT: "Everything is on the disk; restarting from there",
        _P.FIRST_BOOT: "The system runs and has the network",
    }
)
_OTHER_WORDS: Mapping[tuple[DeploymentKind, DeploymentPhase], str] = MappingProxyType(
    {
        (DeploymentKind.WIPE, _P.WRITE): "Wiping the disks",
        (DeploymentKind.WIPE, _P.VERIFY): "Reading the disks in many places",
        (DeploymentKind.WIPE, _P.REBOOT): "Done; switching off",
        (DeploymentKind.INSPECT, _P.REBOOT): "Done; switching off",
        (DeploymentKind.RESCUE, _P.CONFIGURE): "Starting the rescue system",
        (DeploymentKind.RESCUE, _P.FIRST_BOOT): "The rescue system answers",
    }
)
_OF_AN_INSTALLER = frozenset({_P.INSPECT, _P.WRITE, _P.VERIFY, _P.CONFIGURE, _P.REBOOT})
_OF_RESCUE = _OF_AN_INSTALLER | {_P.FIRST_BOOT}


class Progress:
    """Takes what machines tell; the caller's transaction commits."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deployments = Deployments(session)

    def phase(self, deployment_id: UUID, secret: str, name: str, detail: str) -> None:
        """Note a phase that the machine has begun, or how far it is with one.

        Raises:
            NotFound, DeploymentOver, SessionRefused: as ``authorise``.
            InvalidInput: if this is no phase that a machine tells.
        """
        _, deployment = authorise(self._session, deployment_id, secret)
        self.note(deployment, name, detail)

    def note(self, deployment: Deployment, name: str, detail: str) -> None:
        """Note a phase of a deployment that the caller has locked and authorised.

        Raises:
            InvalidInput: if this is no phase that a machine tells.
        """
        own = _OF_RESCUE if deployment.kind is DeploymentKind.RESCUE else _OF_AN_INSTALLER
        if name not in own:
            raise InvalidInput(f"'phase': a machine tells one of {', '.join(sorted(own))}")
        phase = DeploymentPhase(name)
        said = clean_line(detail)
        words = _OTHER_WORDS.get((deployment.kind, phase), _WORDS[phase])
        message = f"{words}: {said}" if said else f"{words}."
        if self._is_news(deployment, phase, message):
            self._deployments.tell(deployment, message, phase)

    def failure(self, deployment_id: UUID, secret: str, code: str, detail: str) -> None:
        """End the deployment: the machine has given up.

        Raises:
            NotFound, DeploymentOver, SessionRefused: as ``authorise``.
        """
        machine, deployment = authorise(self._session, deployment_id, secret)
        self.give_up(machine, deployment, code, detail)

    def give_up(self, machine: Machine, deployment: Deployment, code: str, detail: str) -> None:
        """End a deployment that the caller has locked and authorised."""
        known, said = failure_code(code), clean_line(detail)
        if known is FailureCode.UNKNOWN:
            said = f"{clean_line(code, 60)}: {said}"
        DeploymentOutcomes(self._session).fail(machine, deployment, known, said or "the machine gave no detail")

    def running(self, deployment_id: UUID, callback: str) -> SlipwayError | None:
        """Note that the installed system runs; good once. A refusal is returned, so that its alert is kept.

        Raises:
            NotFound: if there is no such deployment.
            DeploymentOver: if it is over.
        """
        machine, deployment = lock_deployment(self._session, deployment_id)
        check_under_way(self._session, machine, deployment)
        if deployment.callback_hash is None or not matches(callback, deployment.callback_hash):
            message = f"somebody who is not its installed system called back for machine '{machine.name}'"
            raise_alert(self._session, AlertKind.TOKEN_MISUSED, "machine", machine.id, message)
            return TokenRefused("this call-back was made already, or is another machine's")
        deployment.callback_hash = deployment.session_hash = deployment.session_encrypted = None
        self._deployments.tell(deployment, f"{_WORDS[_P.FIRST_BOOT]}.", _P.FIRST_BOOT)
        return None

    def console(self, deployment_id: UUID, secret: str, raw: bytes) -> None:
        """Keep a piece of what the machine prints; what is too much is dropped without a word.

        Raises:
            NotFound, DeploymentOver, SessionRefused: as ``authorise``.
        """
        _, deployment = authorise(self._session, deployment_id, secret)
        kept = select(func.count()).where(ConsoleChunk.deployment_id == deployment.id)
        if self._session.execute(kept).scalar_one() < MAX_CHUNKS:
            self._session.add(ConsoleChunk(deployment_id=deployment.id, text=clean_console(raw)))
            self._session.flush()

    def _is_news(self, deployment: Deployment, phase: DeploymentPhase, message: str) -> bool:
        """Tell a retry, whose answer was lost, from something new; and a log that is full."""
        query = select(DeploymentEvent.id, DeploymentEvent.phase, DeploymentEvent.message)
        own = query.where(DeploymentEvent.deployment_id == deployment.id)
        last = self._session.execute(own.order_by(DeploymentEvent.id.desc()).limit(1)).one_or_none()
        if last is not None and (last.phase, last.message) == (phase, message):
            return False
        kept = select(func.count()).where(DeploymentEvent.deployment_id == deployment.id)
        return self._session.execute(kept).scalar_one() < MAX_LINES
