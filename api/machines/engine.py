"""What an engine's child does with the machine of its grant.

Each method locks the machine and belongs in a transaction of its own, in which the grant was resolved. Another
operation's deployment that is still open gives way: who holds the grant is the only one who has business there.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, changed, record
from api.errors import Conflict, InvalidInput, NotFound
from api.machines.deployments import Deployments, Opening
from api.machines.errors import NotWiped, WrongMachine
from api.machines.grants import Grant
from api.machines.lifecycle import lock_machine, move
from api.machines.models import Deployment, Machine
from api.machines.outcomes import DeploymentOutcomes
from api.machines.profiles import profile_digest, profile_document
from components.specs.machine import BootProfile, DeploymentKind, DeploymentPhase, MachineState

_S = MachineState
_HELD = frozenset({_S.RESERVED, _S.DEPLOYING, _S.ACTIVE, _S.RESCUE})
_BEGINNINGS: Mapping[DeploymentKind, tuple[MachineState, str]] = MappingProxyType(
    {
        DeploymentKind.INSTALL: (_S.DEPLOYING, "being installed"),
        DeploymentKind.WIPE: (_S.CLEANING, "its customer is gone: being wiped"),
        DeploymentKind.RESCUE: (_S.RESCUE, "its customer asked for the rescue system"),
    }
)
_WRITES = frozenset({DeploymentKind.INSTALL, DeploymentKind.WIPE})
_OWN_PHASES = frozenset({DeploymentPhase.POWER, DeploymentPhase.DONE})


class EngineMachine:
    """One machine, as far as a grant goes."""

    def __init__(self, session: Session, grant: Grant, lifetimes: Mapping[DeploymentKind, timedelta]) -> None:
        self._session = session
        self._grant = grant
        self._lifetimes = lifetimes
        self._deployments = Deployments(session)
        self._outcomes = DeploymentOutcomes(session)

    def claim(self, machine_id: UUID, serial: str) -> Machine:
        """Confirm that the machine is this workload's; repeating it is harmless.

        Raises:
            WrongMachine: if another machine is meant, by id or serial number.
            Conflict: if it is somebody else's, or in no state to be used.
        """
        machine = lock_machine(self._session, self._grant.machine_id)
        if machine.id != machine_id or machine.serial != serial:
            raise WrongMachine(
                f"the machine that is held for this workload is '{machine.name}' with the serial number "
                f"'{machine.serial}', not {machine_id} with '{serial}'"
            )
        self._check_held(machine)
        if machine.state not in _HELD:
            raise Conflict(f"machine '{machine.name}' is '{machine.state}' and cannot be used: {machine.state_reason}")
        return machine

    def release(self) -> None:
        """Give the machine back to the pool; does nothing if the workload holds none any more.

        Raises:
            Conflict: while it is being booted for something.
            NotWiped: without the wipe gate's proof.
        """
        machine = lock_machine(self._session, self._grant.machine_id)
        if machine.workload_id != self._grant.workload_id:
            return
        other = self._deployments.open_of(machine)
        if other is not None:
            raise Conflict(f"machine '{machine.name}' is being booted for '{other.kind}': end that first")
        if machine.state not in {_S.RESERVED, _S.CLEANING}:
            raise NotWiped(f"machine '{machine.name}' is '{machine.state}', not wiped: {machine.state_reason}")
        move(self._session, machine, _S.AVAILABLE, "its workload is gone; it is proven to be wiped")

    def set_profile(self, profile: BootProfile) -> str:
        """Keep what the next installation writes; returns its digest. One that runs goes on with what it began with.

        Raises:
            Conflict: if the machine is somebody else's, or in no state to be installed.
        """
        machine = self._held()
        if machine.state not in _HELD:
            raise Conflict(f"machine '{machine.name}' is '{machine.state}': it is not there to be installed")
        document = profile_document(profile)
        digest = profile_digest(document)
        self._record_profile(machine, digest)
        machine.profile = document
        self._session.flush()
        return str(digest)

    def clear_profile(self) -> None:
        """Have nothing to install any more; does nothing if the workload holds no machine any more."""
        machine = lock_machine(self._session, self._grant.machine_id)
        if machine.workload_id == self._grant.workload_id and machine.profile is not None:
            self._record_profile(machine, None)
            machine.profile = None
            self._session.flush()

    def open(self, kind: DeploymentKind, key: str) -> Deployment:
        """Open a deployment, and move the machine to the state that it has for it; or return the one with this key.

        Raises:
            InvalidInput: for an inspection, which is no engine's business.
            Conflict: if the machine is somebody else's, the key is another kind's, or there is nothing to install.
            IllegalTransition: if the machine's life has no such move.
        """
        if kind not in _BEGINNINGS:
            raise InvalidInput("'kind': an operation installs, wipes or rescues a machine", field="kind")
        machine = self._held()
        key = f"{self._grant.workload_id}:{key}"
        known = select(Deployment).where(Deployment.machine_id == machine.id, Deployment.key == key)
        found = self._session.scalars(known.execution_options(populate_existing=True)).one_or_none()
        if found is None:
            return self._begin(machine, kind, key)
        if found.kind is not kind:
            raise Conflict(f"'key': this one is of a deployment of the kind '{found.kind}': use another", field="key")
        return found

    def phase(self, deployment_id: UUID, phase: DeploymentPhase, detail: str) -> Deployment:
        """Note a phase of the control plane's own: ``power``, or ``done``, by which the deployment succeeds.

        Raises:
            InvalidInput: for a phase that only the machine can tell.
            DeploymentOver: if it has ended otherwise.
            NotWiped: if a wipe is said to be done that no report proves.
        """
        if phase not in _OWN_PHASES:
            raise InvalidInput("'phase': the control plane tells 'power' and 'done'", field="phase")
        machine, deployment = self._locked(deployment_id)
        if phase is DeploymentPhase.DONE:
            self._outcomes.succeed(machine, deployment, detail)
        else:
            self._deployments.check_open(deployment)
            self._deployments.tell(deployment, detail or "Switched on, to boot from the network.", phase)
        return deployment

    def fail(self, deployment_id: UUID, code: str, detail: str) -> Deployment:
        """Give a deployment up; what becomes of the machine is ``DeploymentOutcomes.fail``'s to say."""
        machine, deployment = self._locked(deployment_id)
        self._outcomes.fail(machine, deployment, code, detail)
        return deployment

    def leave_rescue(self) -> Machine:
        """Have the customer's own system again; does nothing if the machine has it already.

        Raises:
            Conflict: if the machine is somebody else's, or neither ``rescue`` nor ``active``.
        """
        machine = self._held()
        if machine.state is _S.ACTIVE:
            return machine
        if machine.state is not _S.RESCUE:  # a machine that is being installed has a way to `active`, too, and not this
            raise Conflict(f"machine '{machine.name}' is '{machine.state}', not in its rescue system")
        self._outcomes.abort(machine, "the rescue system is not wanted any more")
        move(self._session, machine, _S.ACTIVE, "back from the rescue system")
        return machine

    def find(self, deployment_id: UUID) -> Deployment:
        """Return one of the workload's deployments, without a lock.

        Raises:
            NotFound: if it is another's, or there is none.
        """
        query = select(Deployment).where(
            Deployment.id == deployment_id,
            Deployment.machine_id == self._grant.machine_id,
            Deployment.workload_id == self._grant.workload_id,
        )
        deployment = self._session.scalars(query).one_or_none()
        if deployment is None:
            raise NotFound("this workload has no such deployment")
        return deployment

    def _begin(self, machine: Machine, kind: DeploymentKind, key: str) -> Deployment:
        if kind is DeploymentKind.INSTALL and machine.profile is None:
            raise Conflict(f"machine '{machine.name}' has no profile: there is nothing to install")
        state, reason = _BEGINNINGS[kind]
        self._outcomes.abort(machine, f"the machine is needed for '{kind}'")
        move(self._session, machine, state, reason)
        if kind in _WRITES:
            machine.installed = None
        opening = Opening(
            kind=kind,
            key=key,
            lifetime=self._lifetimes[kind],
            operation_id=self._grant.operation_id,
            profile=None if kind is DeploymentKind.WIPE else machine.profile,
        )
        return self._deployments.open(machine, opening)

    def _locked(self, deployment_id: UUID) -> tuple[Machine, Deployment]:
        machine = self._held()
        return machine, self._deployments.lock(self.find(deployment_id).id)

    def _held(self) -> Machine:
        machine = lock_machine(self._session, self._grant.machine_id)
        self._check_held(machine)
        return machine

    def _check_held(self, machine: Machine) -> None:
        if machine.workload_id != self._grant.workload_id:
            raise Conflict(f"machine '{machine.name}' is not held for this workload any more")

    def _record_profile(self, machine: Machine, digest: str | None) -> None:
        before = profile_digest(machine.profile)
        if before != digest:
            reason = "what its next installation writes was changed"
            diff = changed(profile_digest=(before, digest))
            entry = AuditEntry(
                action="machine.profile",
                actor=SYSTEM,
                subject_type="machine",
                subject_id=machine.name,
                reason=reason,
                diff=diff,
            )
            record(self._session, entry)
