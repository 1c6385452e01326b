"""A worker of a fleet: leases, attempts and their ends as the product's, with the providers called in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db.session import Database
from api.machines.grants import MachineGrants
from api.machines.models import Machine
from api.machines.profiles import profile_digest, profile_document
from api.operations.leased import Leased
from api.operations.leases import Leases
from api.operations.models import Operation, OperationKind, OperationStatus
from api.operations.results import AttemptEnd, AttemptResults, RetryPolicy
from automation.engine.errors import classify
from automation.engine.scrub import Scrubber
from automation.operations.machine_verification import MachineFacts, find_machine_mismatch
from components.specs import BareMetalSpec
from components.specs.machine import DeploymentKind, DeploymentPhase
from lab.metal.fleet.engine import Stack
from lab.metal.fleet.iron import BMC_USER, Iron
from lab.metal.fleet.wire import Cable
from pxe.client import MachineApi
from pxe.deadlines import Deadlines
from pxe.errors import MetalError
from pxe.hands import Hands
from pxe.holding import Holding
from pxe.obedience import MachinePower
from pxe.power.errors import PowerError
from pxe.power.fake_driver import in_process
from pxe.power.interfaces import PowerState
from pxe.power.timing import Timing

Answer = TypeVar("Answer")
POLICY = RetryPolicy(attempts=4, base_seconds=0.01, deadline_seconds=7200, quarantine=timedelta(0))
_STAY = 60.0
DEADLINES = Deadlines(
    phases=dict.fromkeys((phase for phase in DeploymentPhase if phase is not DeploymentPhase.DONE), _STAY),
    wipe=_STAY,
    off=10.0,
    poll=5.0,
    look=10.0,
)
"""Seconds by a machine's own clock."""
_LEASE_SECONDS = 900.0
_PER_NODE = 1000
_PAUSE_SECONDS = 0.01
_OCCASIONS = {OperationKind.APPLY: DeploymentKind.INSTALL, OperationKind.DESTROY: DeploymentKind.WIPE}


@dataclass
class Worker:
    """Carries operations on machines out. Thread-safe: each thread has orders of its own.

    Attributes:
        fleet: the machines, by their ids.
        on_occasion: told of each operation that begins, with the machine: whoever lets things go wrong.
    """

    database: Database
    cable: Cable
    api_url: str
    fleet: dict[UUID, Iron]
    on_occasion: Callable[[Iron, Leased, DeploymentKind], None]
    stacks: dict[UUID, Stack] = field(default_factory=dict)

    def settle(self, workload_id: UUID) -> None:
        """Carry out whatever is to be done to a workload until there is nothing; blocks."""
        while (operation_id := self._with(lambda session: _unfinished(session, workload_id))) is not None:
            waiting = operation_id
            lease = self._with(lambda session: self._leases(session).acquire(waiting, _PER_NODE))  # noqa: B023 - at once
            if lease is None:
                time.sleep(_PAUSE_SECONDS)
                continue
            self._carry_out(lease)

    def _carry_out(self, lease: Leased) -> None:
        iron, occasion = self.fleet[lease.place.id], _OCCASIONS[lease.kind]
        if lease.attempt == 1:
            self.on_occasion(iron, lease, occasion)
        self._with(lambda session: self._leases(session).begin(lease))
        end = self._attempt(lease, iron)
        self._with(lambda session: AttemptResults(session, self._leases(session), POLICY).apply(lease, end))

    def _attempt(self, lease: Leased, iron: Iron) -> AttemptEnd:
        spec = BareMetalSpec.model_validate(lease.desired)
        stack = self.stacks.setdefault(lease.workload_id, Stack(spec))
        grant = self._with(
            lambda session: MachineGrants(session).mint(
                iron.label.machine_id, lease.workload_id, lease.operation_id, lease.fence, lease.deadline_at
            )
        )
        act = stack.destroy if lease.kind is OperationKind.DESTROY else stack.up
        try:
            act(lambda: self._hands(iron, grant))
        except MetalError as error:
            failure = classify(str(error), Scrubber(()))
            return AttemptEnd(error_code=failure.code, error_detail=str(error), retryable=failure.retryable)
        return self._verify(lease, iron, spec)

    def _verify(self, lease: Leased, iron: Iron, spec: BareMetalSpec) -> AttemptEnd:
        """Believe the machine's row and its BMC, as ``automation.operations.machine_place`` does."""
        row = self._with(lambda session: session.get_one(Machine, iron.label.machine_id))
        installed = row.installed or {}
        facts = MachineFacts(
            state=row.state,
            is_ours=row.workload_id == lease.workload_id,
            installed_digest=installed.get("profile_digest"),
            power=self._power(iron),
        )
        wrong = find_machine_mismatch(lease.kind, spec, str(profile_digest(profile_document(spec.profile))), facts)
        if wrong is not None:
            return AttemptEnd(error_code=wrong.code, error_detail=wrong.detail, retryable=wrong.retryable)
        return AttemptEnd(is_running=lease.kind is OperationKind.APPLY)

    def _power(self, iron: Iron) -> PowerState:
        try:
            return MachinePower(in_process(iron.bmc, BMC_USER, iron.bmc.users[BMC_USER], _timing(iron))).state()
        except (MetalError, PowerError):
            return PowerState.UNKNOWN

    def _hands(self, iron: Iron, grant: str) -> Hands:
        password = iron.bmc.users[BMC_USER]
        holding = Holding(
            api=MachineApi(self._http(grant), iron.clock.pause),
            power=MachinePower(in_process(iron.bmc, BMC_USER, password, _timing(iron)), pause=iron.clock.pause),
            deadlines=DEADLINES,
            say=lambda _line: None,
            clock=iron.clock,
            pause=iron.clock.pause,
        )
        return Hands(holding, SecretStr(password))

    def _http(self, grant: str) -> httpx.Client:
        return self.cable.client(f"{self.api_url.rstrip('/')}/v1/metal", grant)

    def _leases(self, session: Session) -> Leases:
        return Leases(session, "fleet-worker", _LEASE_SECONDS)

    def _with(self, action: Callable[[Session], Answer]) -> Answer:
        with self.database.transaction() as transaction:
            return action(transaction.session)


def _timing(iron: Iron) -> Timing:
    return Timing(clock=iron.clock, pause=iron.clock.pause)


def _unfinished(session: Session, workload_id: UUID) -> UUID | None:
    query = select(Operation.id).where(
        Operation.workload_id == workload_id,
        Operation.status.in_((OperationStatus.QUEUED, OperationStatus.RUNNING)),
    )
    return session.scalars(query.order_by(Operation.id).limit(1)).one_or_none()
