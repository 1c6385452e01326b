"""Finds deployments whose time is over, and ends of deployments from which nobody has drawn the consequences."""

from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from api.machines.deployments import STATES, Deployments
from api.machines.errors import WrongMachine
from api.machines.lifecycle import lock_machine
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.machines.outcomes import DeploymentOutcomes
from api.machines.power_wishes import PowerVerb, PowerWishes
from components.specs.machine import DeploymentKind, MachineState

_DETAIL = "it did not end in the time that it had"


class OverdueDeployments:
    """Ends what nobody else has ended; each call of ``fail`` and ``draw`` belongs in a transaction of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deployments = Deployments(session)
        self._outcomes = DeploymentOutcomes(session)

    def due(self, limit: int = 100) -> list[UUID]:
        """Return open deployments whose time is over, the oldest first."""
        query = select(Deployment.id).where(
            Deployment.status == DeploymentStatus.OPEN, Deployment.deadline_at <= func.now()
        )
        return list(self._session.scalars(query.order_by(Deployment.id).limit(limit)))

    def fail(self, deployment_id: UUID) -> UUID | None:
        """Fail a deployment whose time is over; returns its machine if that is to be switched off now.

        That is one that has got into quarantine, so that it is nobody's to use. Does nothing if the deployment has
        ended meanwhile.
        """
        machine, deployment = self._locked(deployment_id)
        now = self._session.execute(select(func.now())).scalar_one()
        if deployment.status is not DeploymentStatus.OPEN or deployment.deadline_at > now:
            return None
        at = f"; it was at '{deployment.phase}'" if deployment.phase else "; the machine was never heard of"
        self._outcomes.fail(machine, deployment, "deadline", f"{_DETAIL}{at}")
        if machine.state is not MachineState.QUARANTINE:
            return None
        PowerWishes(self._session).ask(machine, PowerVerb.OFF)
        return machine.id

    def undrawn(self, limit: int = 100) -> list[UUID]:
        """Return deployments that have failed, and whose machines are as if they had not."""
        newer = aliased(Deployment)
        newest = ~exists().where(newer.machine_id == Deployment.machine_id, newer.id > Deployment.id)
        suspect = or_(
            Deployment.error_code == WrongMachine.code,
            Deployment.kind.in_((DeploymentKind.WIPE, DeploymentKind.RESCUE)),
        )
        at_it = or_(*(and_(Deployment.kind == kind, Machine.state.in_(states)) for kind, states in STATES.items()))
        query = (
            select(Deployment.id)
            .join(Machine, Machine.id == Deployment.machine_id)
            .where(Deployment.status == DeploymentStatus.FAILED, newest, suspect, at_it)
        )
        return list(self._session.scalars(query.order_by(Deployment.id).limit(limit)))

    def draw(self, deployment_id: UUID) -> None:
        """Put the machine of a failed deployment where it belongs."""
        machine, deployment = self._locked(deployment_id)
        if deployment.status is DeploymentStatus.FAILED:
            self._outcomes.draw(machine, deployment)

    def _locked(self, deployment_id: UUID) -> tuple[Machine, Deployment]:
        machine_id = self._session.execute(
            select(Deployment.machine_id).where(Deployment.id == deployment_id)
        ).scalar_one()
        return lock_machine(self._session, machine_id), self._deployments.lock(deployment_id)
