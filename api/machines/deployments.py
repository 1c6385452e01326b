"""Opens and ends deployments: what a machine is booted over the network for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.errors import Conflict, NotFound
from api.machines.errors import DeploymentOver
from api.machines.models import Deployment, DeploymentEvent, DeploymentStatus, Machine
from api.operations.events import LogLine, append
from api.operations.models import Operation
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState

_S = MachineState
STATES: Mapping[DeploymentKind, frozenset[MachineState]] = MappingProxyType(
    {
        DeploymentKind.INSPECT: frozenset({_S.INSPECT}),
        DeploymentKind.INSTALL: frozenset({_S.DEPLOYING}),
        DeploymentKind.WIPE: frozenset({_S.CLEAN, _S.CLEANING}),
        DeploymentKind.RESCUE: frozenset({_S.RESCUE}),
    }
)
"""In which states a machine can have which kind of deployment."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a deployment is opened with.

    Attributes:
        key: the same key on the same machine is the same deployment, however often it is asked for.
        lifetime: after this it fails by itself.
    """

    kind: DeploymentKind
    key: str
    lifetime: timedelta
    operation_id: UUID | None = None
    requested_by: UUID | None = None
    profile: Mapping[str, object] | None = field(default=None)


class Deployments:
    """Deployments of machines that the caller has locked with ``lock_machine``; the caller's transaction commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, machine: Machine, opening: Opening) -> Deployment:
        """Open a deployment, or return the one that the key stands for, open or not.

        Raises:
            Conflict: if the machine is in no state for it, or another deployment of it is open.
        """
        known = select(Deployment).where(Deployment.machine_id == machine.id, Deployment.key == opening.key)
        found = self._session.scalars(known.execution_options(populate_existing=True)).one_or_none()
        if found is not None:
            return found
        if machine.state not in STATES[opening.kind]:
            raise Conflict(f"machine '{machine.name}' is '{machine.state}': this is no state for '{opening.kind}'")
        other = self.open_of(machine)
        if other is not None:
            raise Conflict(f"machine '{machine.name}' is already being booted for '{other.kind}'")
        now = self._session.execute(select(func.now())).scalar_one()
        deployment = Deployment(
            id=uuid7(),
            machine_id=machine.id,
            workload_id=machine.workload_id,
            operation_id=opening.operation_id,
            requested_by=opening.requested_by,
            kind=opening.kind,
            status=DeploymentStatus.OPEN,
            key=opening.key,
            profile=None if opening.profile is None else dict(opening.profile),
            deadline_at=now + opening.lifetime,
        )
        self._session.add(deployment)
        self._session.flush()
        return deployment

    def open_of(self, machine: Machine) -> Deployment | None:
        """Return the machine's open deployment, locked, if there is one."""
        query = select(Deployment).where(
            Deployment.machine_id == machine.id, Deployment.status == DeploymentStatus.OPEN
        )
        return self._session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()

    def look(self, machine_id: UUID) -> Deployment | None:
        """Return a machine's open deployment without a lock, if there is one."""
        query = select(Deployment).where(
            Deployment.machine_id == machine_id, Deployment.status == DeploymentStatus.OPEN
        )
        return self._session.scalars(query).one_or_none()

    def lock(self, deployment_id: UUID) -> Deployment:
        """Return a deployment, locked; lock its machine first.

        Raises:
            NotFound: if there is none.
        """
        query = select(Deployment).where(Deployment.id == deployment_id).with_for_update()
        deployment = self._session.scalars(query.execution_options(populate_existing=True)).one_or_none()
        if deployment is None:
            raise NotFound("there is no such deployment")
        return deployment

    @staticmethod
    def check_open(deployment: Deployment) -> None:
        """Refuse what only an open deployment can have.

        Raises:
            DeploymentOver: if it has ended.
        """
        if deployment.status is not DeploymentStatus.OPEN:
            why = deployment.error_detail or deployment.status.value
            raise DeploymentOver(f"this deployment has ended already: {why}")

    def tell(self, deployment: Deployment, message: str, phase: DeploymentPhase | None = None) -> None:
        """Note how far a deployment is, in its log and in that of the operation that it belongs to."""
        if phase is not None:
            deployment.phase = phase
        self._session.add(DeploymentEvent(deployment_id=deployment.id, phase=phase, message=message))
        self._session.flush()
        if deployment.operation_id is not None:
            attempts = select(Operation.attempts).where(Operation.id == deployment.operation_id)
            attempt = self._session.execute(attempts).scalar_one()
            data = {"deployment": str(deployment.id), "phase": None if phase is None else phase.value}
            append(self._session, deployment.operation_id, attempt, [LogLine("machine", message, data)])

    def end(self, deployment: Deployment, status: DeploymentStatus, code: str = "", detail: str = "") -> None:
        """End an open deployment; its tokens are void from here on. Does nothing to one that has ended."""
        if deployment.status is not DeploymentStatus.OPEN:
            return
        deployment.status = status
        deployment.error_code, deployment.error_detail = code or None, detail or None
        deployment.token_hash = deployment.session_hash = deployment.session_encrypted = None
        deployment.callback_hash = None
        deployment.finished_at = self._session.execute(select(func.now())).scalar_one()
        self._session.flush()
