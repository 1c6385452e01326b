"""A machine of one's own, as the place of an operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from pydantic import SecretStr
from sqlalchemy import select

from api.db.session import Database
from api.machines.grants import MachineGrants
from api.machines.lifecycle import is_wiped
from api.machines.models import Machine
from api.machines.profiles import profile_digest, profile_document
from api.operations.leased import Leased, LeasedMachine
from api.operations.models import OperationKind
from api.plans.document import PlanDocument
from api.settings import WorkerSettings
from api.vault import Vault
from automation.metal.passwords import BmcPasswords
from automation.metal.power import PowerFailed
from automation.operations.environment import metal_environment
from automation.operations.machine_verification import MachineFacts, find_machine_mismatch
from automation.operations.places import OutOfReach, Sight, Tell
from components.specs import BareMetalSpec
from components.specs.machine import MachineState
from pxe.power.driver import Driver
from pxe.power.errors import PowerError
from pxe.power.interfaces import PowerState
from pxe.power.settings import BmcSettings

Bmcs = Callable[[BmcSettings], Driver]
"""Finds the driver of a machine's BMC."""

_UNREACHABLE = "bmc_unreachable"
_RETURNING = (
    "machine_returning",
    "Machine '{}' is being inspected and wiped; once it is back in the pool, the removal goes on by itself.",
)
_ANOTHERS: Mapping[MachineState, tuple[str, str]] = MappingProxyType(
    {
        MachineState.QUARANTINE: (
            "machine_quarantined",
            "Machine '{}' is in quarantine; once it was released and is wiped, the removal goes on by itself.",
        ),
        MachineState.INSPECT: _RETURNING,
        MachineState.CLEAN: _RETURNING,
    }
)
"""The states in which a machine is a person's to decide about, and what a removal says then."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MachinePlace:
    """Implements ``automation.operations.places.Place``: the machine's row and its BMC count, not the engine's word.

    What the engine does is done through the API, under a grant of this lease; the row is written by that API only.
    """

    lease: Leased
    machine: LeasedMachine
    database: Database
    bmcs: Bmcs
    vault: Vault
    settings: WorkerSettings

    @property
    def deadline_seconds(self) -> float:
        """See ``Place``: installers take their time, and overwriting disks takes hours."""
        if self.lease.kind is OperationKind.DESTROY:
            return self.settings.machine_removal_deadline_seconds
        return self.settings.machine_deadline_seconds

    def environment(self) -> Mapping[str, str]:
        """See ``Place``. Makes a grant, which is void with the lease; a removal rotates the BMC's password.

        A removal leaves a machine alone that is in quarantine, or that a person has had inspected since: no engine is
        started, and what the machine is being booted for goes on.
        """
        self._check_removable()
        lease, (bmc, following) = self.lease, self._logins()
        with self.database.transaction() as transaction:
            grant = MachineGrants(transaction.session).mint(
                self.machine.id, lease.workload_id, lease.operation_id, lease.fence, lease.deadline_at
            )
        return metal_environment(bmc, grant, self.settings, following)

    def must_look_first(self, tell: Tell) -> bool:
        """See ``Place``: the provider of machines looks for itself before it changes anything."""
        del tell
        return False

    def is_taken(self, plan: PlanDocument) -> bool:
        """See ``Place``: a claim that is somebody else's is refused by the API, and a serial number by the machine."""
        del plan
        return False

    def prepare(self, tell: Tell) -> None:
        """See ``Place``: the provider asks the operating system to shut down before it cuts the power."""
        del tell

    def restart(self) -> None:
        """See ``Place``: a power cycle, which also frees a machine that hangs."""
        try:
            self._driver().power.cycle()
        except PowerError as error:
            raise OutOfReach(_UNREACHABLE, f"{error}.") from error

    def look(self) -> Sight:
        """See ``Place``."""
        facts = self._facts()
        spec = BareMetalSpec.model_validate(self.lease.desired)
        wanted = str(profile_digest(profile_document(spec.profile)))
        wrong = find_machine_mismatch(self.lease.kind, spec, wanted, facts)
        return Sight(wrong, is_running=facts.power is not PowerState.OFF)

    def conclude(self) -> None:
        """See ``Place``: after a removal, the password that the BMC takes is the one that is kept."""
        if self.lease.kind is OperationKind.DESTROY:
            self._passwords.settle(self.machine.id)

    def _check_removable(self) -> None:
        if self.lease.kind is not OperationKind.DESTROY:
            return
        with self.database.transaction() as transaction:
            query = select(Machine.state).where(
                Machine.id == self.machine.id, Machine.workload_id == self.lease.workload_id
            )
            state = transaction.session.scalars(query).one_or_none()
        if state is not None and state in _ANOTHERS:
            code, sentence = _ANOTHERS[state]
            raise OutOfReach(code, sentence.format(self.machine.name), is_retryable=False)

    def _facts(self) -> MachineFacts:
        with self.database.transaction() as transaction:
            row = transaction.session.scalars(select(Machine).where(Machine.id == self.machine.id)).one()
            is_ours, installed = row.workload_id == self.lease.workload_id, row.installed or {}
            facts = MachineFacts(
                state=row.state,
                is_ours=is_ours,
                is_untouched=not self.lease.has_stack and is_wiped(row),
                installed_digest=installed.get("profile_digest"),
            )
        return facts if self.lease.kind is OperationKind.DESTROY else facts.powered(self._power())

    def _power(self) -> PowerState:
        try:
            return self._driver().power.state()
        except PowerError as error:
            raise OutOfReach(_UNREACHABLE, f"{error}.") from error

    def _driver(self) -> Driver:
        return self.bmcs(self._bmc())

    def _logins(self) -> tuple[BmcSettings, SecretStr | None]:
        """Return how the BMC is reached, and what its password is to be after the wipe, if there will be one."""
        if self.lease.kind is not OperationKind.DESTROY:
            return self._bmc(), None
        return self._told(lambda: self._passwords.begin(self.machine.id, self.lease.workload_id))

    def _bmc(self) -> BmcSettings:
        passwords = self._passwords
        return self._told(lambda: passwords.in_force(passwords.recorded(self.machine.id)))

    @property
    def _passwords(self) -> BmcPasswords:
        return BmcPasswords(self.database, self.vault, self.bmcs)

    @staticmethod
    def _told(open_: Callable[[], T]) -> T:
        try:
            return open_()
        except PowerFailed as error:
            raise OutOfReach(error.code, f"{error}.", is_retryable=error.is_retryable) from error
