"""Deployments that belong to no operation, step by step: inspections, and wipes of disks that are nobody's.

No worker waits for a machine. Each step is found by its rows: a machine that is to be switched on, one that has
reported, one that has failed. A step is done under a lease, by the database's clock, and each of its writes says whose
lease it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from api.errors import LeaseLost
from api.machines.bmc import BmcAccess
from api.machines.deployments import STATES, Deployments, Opening
from api.machines.inspection import Recorded, all_macs, differences
from api.machines.lifecycle import lock_machine, move
from api.machines.models import INSPECTION, Deployment, DeploymentStatus, Machine, WipeReport
from api.machines.outcomes import DeploymentOutcomes
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState

_OWN = frozenset({MachineState.INSPECT, MachineState.CLEAN})
_TAKEN_OVER = "another worker has taken this deployment over"


class Step(StrEnum):
    """What is to be done next for a deployment."""

    BEGIN = "begin"
    """Switch the machine on, to boot from the network."""
    SETTLE = "settle"
    """It has reported, or failed: switch it off and move it on."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A step, as the worker that has its lease sees it.

    Attributes:
        owner: of the lease; a name that no other attempt has.
        has_failed: the deployment has, so that nothing is to be proven any more.
    """

    deployment_id: UUID
    machine_id: UUID
    name: str
    kind: DeploymentKind
    step: Step
    has_failed: bool
    owner: str
    bmc: BmcAccess


class Preparation:
    """Takes steps and writes what came of them; each call belongs in a short transaction of its own."""

    def __init__(self, session: Session, lifetimes: Mapping[DeploymentKind, timedelta]) -> None:
        self._session = session
        self._lifetimes = lifetimes
        self._deployments = Deployments(session)
        self._outcomes = DeploymentOutcomes(session)

    def due(self, limit: int = 100) -> list[UUID]:
        """Return deployments for which there is a step to do now, the oldest first."""
        query = select(Deployment.id).join(Machine, Machine.id == Deployment.machine_id).where(*_is_due())
        return list(self._session.scalars(query.order_by(Deployment.id).limit(limit)))

    def acquire(self, deployment_id: UUID, owner: str, length: timedelta) -> Errand | None:
        """Take the lease of a deployment for which there is a step to do; None if there is none, or it is taken."""
        query = (
            select(Machine, Deployment)
            .join(Deployment, Deployment.machine_id == Machine.id)
            .where(Deployment.id == deployment_id, *_is_due())
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        row = self._session.execute(query).one_or_none()
        if row is None:
            return None
        machine, deployment = row
        deployment.lease_owner = owner
        deployment.lease_until = self._session.execute(select(func.now() + length)).scalar_one()
        self._session.flush()
        begins = deployment.status is DeploymentStatus.OPEN and not self._has_reported(deployment)
        return Errand(
            deployment_id=deployment.id,
            machine_id=machine.id,
            name=machine.name,
            kind=deployment.kind,
            step=Step.BEGIN if begins else Step.SETTLE,
            has_failed=deployment.status is DeploymentStatus.FAILED,
            owner=owner,
            bmc=BmcAccess.of(machine),
        )

    def renew(self, errand: Errand, length: timedelta) -> None:
        """Hold the lease for another full length.

        Raises:
            LeaseLost: if somebody else has it.
        """
        self._write(errand, lease_until=func.now() + length)

    def starts(self, errand: Errand) -> None:
        """Note, before it is done, that the machine is switched on; the machine itself may be heard from at once.

        Raises:
            LeaseLost: if somebody else has the lease.
        """
        _, deployment = self._held(errand)
        if deployment.status is DeploymentStatus.OPEN:
            message = f"Switching machine '{errand.name}' on, to boot from the network ({errand.kind})."
            self._deployments.tell(deployment, message, DeploymentPhase.POWER)

    def began(self, errand: Errand) -> None:
        """Give the lease up: the machine is on, and what it says makes the next step due.

        Raises:
            LeaseLost: if somebody else has the lease.
        """
        self._write(errand, lease_owner=None, lease_until=None)

    def postpone(self, errand: Errand, pause: timedelta, why: str) -> None:
        """Have the step done again after a pause, unless the deployment's time will be over by then.

        Raises:
            LeaseLost: if somebody else has the lease.
        """
        machine, deployment = self._held(errand)
        self._deployments.tell(deployment, f"{why} Trying again in {pause.total_seconds():.0f} s.")
        until = self._session.execute(select(func.now() + pause)).scalar_one()
        if until >= deployment.deadline_at:
            self._give_up(machine, deployment, "deadline", why)
        else:
            deployment.lease_until = until

    def fail(self, errand: Errand, code: str, detail: str) -> None:
        """End the deployment; its machine goes into quarantine.

        Raises:
            LeaseLost: if somebody else has the lease.
        """
        machine, deployment = self._held(errand)
        self._give_up(machine, deployment, code, detail)

    def settle(self, errand: Errand) -> UUID | None:
        """Move the machine on after what it reported; returns the deployment that follows.

        An inspection that found the machine as told is followed by a wipe, a wipe by ``available``. Everything else
        ends in quarantine.

        Raises:
            LeaseLost: if somebody else has the lease.
        """
        machine, deployment = self._held(errand)
        if deployment.status is DeploymentStatus.FAILED:
            self._outcomes.draw(machine, deployment)
            return None
        if errand.kind is DeploymentKind.INSPECT:
            return self._inspected(machine, deployment)
        self._outcomes.succeed(machine, deployment, "Its report proves that the disks are empty; switched off.")
        move(self._session, machine, MachineState.AVAILABLE, "inspected and wiped")
        return None

    def _inspected(self, machine: Machine, deployment: Deployment) -> UUID | None:
        report = (deployment.report or {}).get(INSPECTION) or {}
        found = differences(Recorded.of(machine), report)
        machine.facts = report
        if found:
            self._outcomes.fail(machine, deployment, "hardware_differs", "; ".join(found))
            return None
        machine.macs = all_macs(machine, report)
        self._outcomes.succeed(machine, deployment, "The hardware is as recorded; switched off.")
        move(self._session, machine, MachineState.CLEAN, "inspected, and as recorded")
        opening = Opening(
            kind=DeploymentKind.WIPE,
            key=f"wipe-after:{deployment.id}",
            lifetime=self._lifetimes[DeploymentKind.WIPE],
            requested_by=deployment.requested_by,
        )
        return self._deployments.open(machine, opening).id

    def _give_up(self, machine: Machine, deployment: Deployment, code: str, detail: str) -> None:
        """End in quarantine, even if the machine itself was content: what comes after it could not be done."""
        if deployment.status is DeploymentStatus.SUCCEEDED:
            move(self._session, machine, MachineState.QUARANTINE, f"it could not be switched off ({code}): {detail}")
        else:
            self._outcomes.fail(machine, deployment, code, detail)

    def _has_reported(self, deployment: Deployment) -> bool:
        return bool(self._session.execute(select(_reported()).where(Deployment.id == deployment.id)).scalar_one())

    def _held(self, errand: Errand) -> tuple[Machine, Deployment]:
        machine = lock_machine(self._session, errand.machine_id)
        deployment = self._deployments.lock(errand.deployment_id)
        if deployment.lease_owner != errand.owner:
            raise LeaseLost(_TAKEN_OVER)
        return machine, deployment

    def _write(self, errand: Errand, **values: Any) -> None:
        mine = (Deployment.id == errand.deployment_id, Deployment.lease_owner == errand.owner)
        statement = update(Deployment).where(*mine).values(**values).returning(Deployment.id)
        if self._session.execute(statement.execution_options(synchronize_session=False)).one_or_none() is None:
            raise LeaseLost(_TAKEN_OVER)


def _reported() -> Any:
    """Whether the machine has sent what the deployment is for."""
    proof = exists().where(WipeReport.deployment_id == Deployment.id)
    return or_(
        and_(Deployment.kind == DeploymentKind.INSPECT, Deployment.report.has_key(INSPECTION)),
        and_(Deployment.kind == DeploymentKind.WIPE, proof),
    )


def _is_due() -> tuple[Any, ...]:
    """A lease that ran out belongs to a worker that died, or to a step that was put off."""
    newer = aliased(Deployment)
    is_newest = ~exists().where(newer.machine_id == Deployment.machine_id, newer.id > Deployment.id)
    is_at_it = or_(
        *(
            and_(Deployment.kind == kind, Machine.state.in_(STATES[kind] & _OWN))
            for kind in (DeploymentKind.INSPECT, DeploymentKind.WIPE)
        )
    )
    is_to_begin = and_(
        Deployment.status == DeploymentStatus.OPEN,
        or_(
            Deployment.phase.is_(None),
            and_(Deployment.phase == DeploymentPhase.POWER, Deployment.lease_until.is_not(None)),
        ),
    )
    is_to_settle = or_(
        Deployment.status.in_((DeploymentStatus.SUCCEEDED, DeploymentStatus.FAILED)),
        and_(Deployment.status == DeploymentStatus.OPEN, _reported()),
    )
    return (
        Deployment.operation_id.is_(None),
        or_(Deployment.lease_until.is_(None), Deployment.lease_until < func.now()),
        is_at_it,
        is_newest,
        or_(is_to_begin, is_to_settle),
    )
