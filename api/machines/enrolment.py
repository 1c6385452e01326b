"""Tells the pool of machines: new ones, what is different about them, and that they are gone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.alerts.models import AlertKind
from api.alerts.service import resolve
from api.audit.trail import Actor, AuditEntry, differences, record
from api.errors import Conflict, InvalidInput
from api.inventory.models import Site
from api.machines.finding import locked_machine
from api.machines.inputs import MachineFacts, MachineIn, MachinePatch
from api.machines.models import (
    ConsoleChunk,
    Deployment,
    DeploymentEvent,
    Machine,
    MachineGrant,
    WipeReport,
)
from api.vault import Vault
from api.workloads.models import Workload
from components.specs.machine import MachineState

_AT_REST = frozenset({MachineState.ENROLL, MachineState.QUARANTINE})
_INSPECTED = frozenset(
    {"site", "machine_class", "serial", "boot_mac", "macs", "cores", "memory_mib", "disk_gib", "disk_count"}
)
_UNIQUE: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "serial": "serial number",
        "boot_mac": "boot MAC address",
        "server_number": "server number",
        "boot_address": "boot address",
    }
)
_FIELDS = frozenset(MachineFacts.model_fields) - {"site"}


class MachineEnrolment:
    """Writes what people tell of machines; the caller's transaction commits. Passwords are sealed at once."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    def enroll(self, told: MachineIn, actor: Actor) -> Machine:
        """Add a machine; nothing of what was told is believed before it was inspected.

        Raises:
            InvalidInput: if there is no such site.
            Conflict: if a machine has that name, serial number, MAC address, server number or boot address already.
        """
        self._refuse_known(told, None)
        fields = _columns(told)
        password = None if told.bmc_password is None else self._vault.seal(told.bmc_password.get_secret_value())
        machine = Machine(
            id=uuid7(),
            site_id=self._site(told.site).id,
            state=MachineState.ENROLL,
            state_reason="told of; not inspected yet",
            bmc_password_encrypted=password,
            **fields,
        )
        self._session.add(machine)
        self._record(machine, "machine.enroll", "a machine was told of", actor, differences({}, _document(told)))
        return machine

    def edit(self, name: str, patch: MachinePatch, actor: Actor) -> Machine:
        """Change what is told of a machine.

        Raises:
            NotFound: if there is none of that name.
            InvalidInput: naming the field that cannot be so.
            Conflict: if what an inspection looks at is to change while the machine is in use, or is another's already.
        """
        machine = locked_machine(self._session, name)
        before = self._facts(machine)
        after = _merged(before, patch)
        diff = differences(_document(before), _document(after))
        hardware = sorted(diff.keys() & _INSPECTED)
        if hardware and machine.state not in _AT_REST:
            raise Conflict(
                f"'{hardware[0]}' cannot be changed while the machine is '{machine.state}': quarantine it first",
                field=hardware[0],
            )
        if not diff:
            return machine
        self._refuse_known(after, machine)
        for field, value in _columns(after).items():
            setattr(machine, field, value)
        machine.site_id = self._site(after.site).id
        self._record(machine, "machine.edit", f"changed: {', '.join(diff)}", actor, diff)
        return machine

    def deposit(self, name: str, password: str, actor: Actor) -> Machine:
        """Keep what the control plane logs in to the machine's BMC with, sealed.

        Raises:
            NotFound: if there is none of that name.
        """
        machine = locked_machine(self._session, name)
        machine.bmc_password_encrypted = self._vault.seal(password)
        self._record(machine, "machine.deposit_credential", "the control plane was given its BMC's password", actor)
        return machine

    def retire(self, name: str, reason: str, actor: Actor) -> None:
        """Forget a machine that is gone from the racks.

        Raises:
            NotFound: if there is none of that name.
            Conflict: if it is in use, or was ever a customer's: then its wipe reports are kept, and it with them.
        """
        machine = locked_machine(self._session, name)
        if machine.state not in _AT_REST or machine.workload_id is not None:
            raise Conflict(f"machine '{name}' is '{machine.state}': quarantine it, and see that no customer has it")
        if self._session.scalars(select(Workload.id).where(Workload.machine_id == machine.id).limit(1)).first():
            raise Conflict(
                f"machine '{name}' was a customer's, and the proofs that it was wiped are kept: leave it in quarantine"
            )
        self._record(machine, "machine.retire", reason, actor)
        resolve(self._session, AlertKind.MACHINE_QUARANTINED, machine.id)
        self._delete(machine)

    def _facts(self, machine: Machine) -> MachineFacts:
        site = self._session.get_one(Site, machine.site_id).slug
        return MachineFacts.model_validate({"site": site, **{field: getattr(machine, field) for field in _FIELDS}})

    def _site(self, slug: str) -> Site:
        site = self._session.scalars(select(Site).where(Site.slug == slug)).one_or_none()
        if site is None:
            raise InvalidInput(f"'site': there is no site '{slug}'", field="site")
        return site

    def _refuse_known(self, told: MachineFacts, itself: Machine | None) -> None:
        """Refuse what another machine is known by already; the unique indexes catch two at once."""
        columns = _columns(told)
        for field, what in _UNIQUE.items():
            value = columns[field]
            if value is not None and self._another(getattr(Machine, field) == value, itself):
                raise Conflict(f"'{field}': another machine has the {what} '{value}'", field=field)
        if self._another(Machine.macs.overlap(told.macs), itself):
            raise Conflict("'macs': another machine has a network card with one of these addresses", field="macs")

    def _another(self, condition: Any, itself: Machine | None) -> bool:
        query = select(Machine.id).where(condition)
        if itself is not None:
            query = query.where(Machine.id != itself.id)
        return self._session.scalars(query.limit(1)).first() is not None

    def _delete(self, machine: Machine) -> None:
        mine = select(Deployment.id).where(Deployment.machine_id == machine.id)
        for log in (ConsoleChunk, DeploymentEvent):
            self._session.execute(delete(log).where(log.deployment_id.in_(mine)))
        for table in (WipeReport, MachineGrant, Deployment):
            self._session.execute(delete(table).where(table.machine_id == machine.id))
        self._session.delete(machine)
        self._session.flush()

    def _record(
        self, machine: Machine, action: str, reason: str, actor: Actor, diff: Mapping[str, Any] | None = None
    ) -> None:
        self._session.flush()
        entry = AuditEntry(
            action=action, actor=actor, subject_type="machine", subject_id=machine.name, reason=reason, diff=diff
        )
        record(self._session, entry)


def _columns(told: MachineFacts) -> dict[str, Any]:
    """Return the columns of a machine's row that are told; the site's is a reference."""
    fields = {field: getattr(told, field) for field in _FIELDS}
    return fields | {"boot_address": None if told.boot_address is None else str(told.boot_address)}


def _document(told: MachineFacts) -> dict[str, Any]:
    return told.model_dump(mode="json", include=set(MachineFacts.model_fields))


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
