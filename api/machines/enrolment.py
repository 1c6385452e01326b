"""Tells the pool of machines: new ones, what is different about them, and that they are gone."""

from typing import NoReturn

from pydantic import ValidationError
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.errors import Conflict, InvalidInput
from api.inventory.errors import ToldByAnotherStack
from api.inventory.owners import Owners
from api.machines.finding import locked_machine
from api.machines.inputs import MachineFacts, MachineIn, MachinePatch
from api.machines.models import Machine
from api.machines.register import UNUSED, MachineRegister
from api.vault import Vault
from components.specs.machine import MachineState


class MachineEnrolment:
    """Writes what people tell of machines; the caller's transaction commits. Passwords are sealed at once."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._register = MachineRegister(session)

    def enroll(self, told: MachineIn, actor: Actor) -> Machine:
        """Add a machine; nothing of what was told is believed before it was inspected.

        Raises:
            InvalidInput: if there is no such site.
            Conflict: if a machine has that name, serial number, MAC address, server number or boot address already.
        """
        password = None if told.bmc_password is None else self._vault.seal(told.bmc_password.get_secret_value())
        return self._register.add(told, password, actor)

    def edit(self, name: str, patch: MachinePatch, actor: Actor) -> Machine:
        """Change what is told of a machine.

        Raises:
            NotFound: if there is none of that name.
            InvalidInput: naming the field that cannot be so.
            Conflict: if what an inspection looks at is to change while the machine is in use, or is another's already.
        """
        machine = locked_machine(self._session, name)
        self._register.change(machine, _merged(self._register.facts(machine), patch), actor)
        return machine

    def deposit(self, name: str, password: str, actor: Actor) -> Machine:
        """Keep what the control plane logs in to the machine's BMC with, sealed.

        Raises:
            NotFound: if there is none of that name.
        """
        machine = locked_machine(self._session, name)
        machine.bmc_password_encrypted = self._vault.seal(password)
        self._register.record(
            machine, "machine.deposit_credential", "the control plane was given its BMC's password", actor
        )
        return machine

    def retire(self, name: str, reason: str, actor: Actor) -> None:
        """Take a machine that is gone from the racks out of the pool; does nothing if it is out.

        One that was ever a customer's is remembered as ``retired``, for the proofs that it was wiped are kept.

        Raises:
            NotFound: if there is none of that name.
            ToldByAnotherStack: if a platform stack describes it: there it has to be taken out.
            Conflict: if it is in use, or a customer's.
        """
        machine = locked_machine(self._session, name)
        if machine.state is MachineState.RETIRED:
            return
        if machine.state not in UNUSED or machine.workload_id is not None:
            raise Conflict(f"machine '{name}' is '{machine.state}': quarantine it, and see that no customer has it")
        stack = Owners(self._session).of("machines", name)
        if stack is not None:
            raise ToldByAnotherStack(
                f"machine '{name}' is described by the stack '{stack}': take it out of Pulumi.{stack}.yaml and run "
                "`pulumi up`, which takes it out of the pool first",
                stack=stack,
            )
        self._register.retire(machine, reason, actor)


def _merged(before: MachineFacts, patch: MachinePatch) -> MachineFacts:
    changes = patch.model_dump(exclude_unset=True)
    if "boot_mac" in changes and "macs" not in changes:
        changes["macs"] = [mac for mac in before.macs if mac != before.boot_mac]
    try:
        return MachineFacts.model_validate(before.model_dump() | changes)
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    """Turn pydantic's first complaint into ours, without what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    raise InvalidInput(f"'{field}': {message}" if field else message, field=field) from None
