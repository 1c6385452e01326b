"""What people decide about machines: to inspect them, to take them out of use, and to bring them back."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor
from api.errors import Conflict
from api.machines.deployments import Deployments, Opening
from api.machines.finding import locked_machine
from api.machines.lifecycle import move
from api.machines.models import Deployment, Machine
from api.machines.outcomes import DeploymentOutcomes
from api.machines.power_wishes import PowerWishes
from api.operations.models import Operation, OperationStatus
from api.workloads.models import Workload, WorkloadStatus
from components.specs.machine import DeploymentKind, MachineState

_S = MachineState


class MachineCare:
    """Moves machines by a person's word; the caller's transaction commits.

    What it opens belongs to no operation: a worker's ``MachineRunner`` follows it up, from an inspection over a wipe to
    ``available``.
    """

    def __init__(self, session: Session, lifetimes: Mapping[DeploymentKind, timedelta]) -> None:
        self._session = session
        self._lifetimes = lifetimes

    def inspect(self, name: str, reason: str, actor: Actor) -> Deployment:
        """Have a machine that nobody uses inspected, then wiped and offered; or return the inspection under way.

        Raises:
            NotFound: if there is none of that name.
            Conflict: if the control plane has no password for its BMC, or a customer still has it.
            IllegalTransition: if it is in use.
        """
        machine = locked_machine(self._session, name)
        under_way = Deployments(self._session).open_of(machine)
        if machine.state is _S.INSPECT and under_way is not None:
            return under_way
        self._check_nobodys(machine)
        if machine.bmc_password_encrypted is None:
            raise Conflict(f"machine '{name}': deposit its BMC's password first, or nobody can switch it on")
        PowerWishes(self._session).drop(machine, "the machine is to be inspected")
        move(self._session, machine, _S.INSPECT, reason, actor)
        opening = Opening(
            kind=DeploymentKind.INSPECT,
            key=f"inspect:{uuid7()}",
            lifetime=self._lifetimes[DeploymentKind.INSPECT],
            requested_by=actor.user_id,
        )
        return Deployments(self._session).open(machine, opening)

    def release(self, name: str, reason: str, actor: Actor) -> Deployment:
        """Bring a machine back from quarantine, by way of an inspection and a wipe.

        Raises:
            NotFound: if there is none of that name.
            Conflict: if it is not in quarantine, or a customer still has it.
        """
        machine = locked_machine(self._session, name)
        if machine.state not in {_S.QUARANTINE, _S.INSPECT}:
            raise Conflict(f"machine '{name}' is '{machine.state}', not in quarantine")
        return self.inspect(name, reason, actor)

    def quarantine(self, name: str, reason: str, actor: Actor, *, affects_customer: bool = False) -> Machine:
        """Take a machine out of use until a person decides otherwise; what it is being booted for is aborted.

        Raises:
            NotFound: if there is none of that name.
            Conflict: if a customer has it and ``affects_customer`` does not say that this is meant.
        """
        machine = locked_machine(self._session, name)
        if machine.state is _S.QUARANTINE:
            return machine
        if machine.workload_id is not None and not affects_customer:
            raise Conflict(
                f"machine '{name}' is held for workload {machine.workload_id}: a machine in quarantine comes back by a "
                "wipe only; confirm with 'affects_customer'",
                field="affects_customer",
            )
        DeploymentOutcomes(self._session).abort(machine, f"the machine was taken out of use: {reason}")
        move(self._session, machine, _S.QUARANTINE, reason, actor)
        return machine

    def _check_nobodys(self, machine: Machine) -> None:
        """Refuse what would wipe a disk that somebody still pays for, or that an operation is at work on."""
        if machine.workload_id is None:
            return
        workload = self._session.get(Workload, machine.workload_id)
        if workload is not None and not workload.desired_absent and workload.status is not WorkloadStatus.DELETED:
            raise Conflict(
                f"machine '{machine.name}' is still that of workload '{workload.name}', and it would be wiped: cancel "
                "the workload first"
            )
        at_work = select(Operation.id).where(
            Operation.workload_id == machine.workload_id, Operation.status == OperationStatus.RUNNING
        )
        if self._session.execute(at_work.limit(1)).first() is not None:
            raise Conflict(f"machine '{machine.name}': its workload's operation is at work; wait for its end")
