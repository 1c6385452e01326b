"""Writes what is told of machines, whoever tells it: people one by one, or the stack of the pool all of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.alerts.models import AlertKind
from api.alerts.service import resolve
from api.audit.trail import Actor, AuditEntry, differences, record
from api.errors import Conflict, InvalidInput
from api.inventory.models import Site
from api.machines.inputs import MachineFacts
from api.machines.lifecycle import is_wiped, lock_machine, move
from api.machines.models import ConsoleChunk, Deployment, DeploymentEvent, Machine, MachineGrant, WipeReport
from api.workloads.models import Workload
from components.specs.machine import MachineState

AT_REST = frozenset({MachineState.ENROLL, MachineState.QUARANTINE})
"""The states in which what is told of a machine's hardware can change."""
UNUSED = AT_REST | {MachineState.AVAILABLE}
"""The states from which a machine can leave the pool, if it is nobody's."""
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


class MachineRegister:
    """Adds machines and changes what is told of them, each with its record; the caller's transaction commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, told: MachineFacts, password: bytes | None, actor: Actor) -> Machine:
        """Add a machine; nothing of what was told is believed before it was inspected.

        One that was retired is known by its serial number, and comes back with its history.

        Args:
            told: what is told.
            password: of its BMC, sealed; it can follow later.
            actor: who tells it.

        Raises:
            InvalidInput: if there is no such site.
            Conflict: if a machine has that name, serial number, MAC address, server number or boot address already.
        """
        retired = self._retired(told.serial)
        self._refuse_known(told, retired)
        if retired is not None:
            return self._bring_back(retired, told, password, actor)
        machine = Machine(
            id=uuid7(),
            site_id=self._site(told.site).id,
            state=MachineState.ENROLL,
            state_reason="told of; not inspected yet",
            bmc_password_encrypted=password,
            **_columns(told),
        )
        self._session.add(machine)
        self.record(machine, "machine.enroll", "a machine was told of", actor, differences({}, _document(told)))
        return machine

    def change(self, machine: Machine, after: MachineFacts, actor: Actor) -> None:
        """Have something else told of a locked machine; does nothing if it is the same.

        Raises:
            InvalidInput: if there is no such site.
            Conflict: if what an inspection looks at is to change while the machine is in use, or is another's already.
        """
        diff = differences(_document(self.facts(machine)), _document(after))
        hardware = sorted(diff.keys() & _INSPECTED)
        if hardware and machine.state not in AT_REST:
            raise Conflict(
                f"'{hardware[0]}' cannot be changed while the machine is '{machine.state}': quarantine it first",
                field=hardware[0],
            )
        if not diff:
            return
        self._refuse_known(after, machine)
        self._put(machine, after)
        self.record(machine, "machine.edit", f"changed: {', '.join(diff)}", actor, diff)

    def _retired(self, serial: str) -> Machine | None:
        query = select(Machine.id).where(Machine.serial == serial, Machine.state == MachineState.RETIRED)
        found = self._session.scalars(query).one_or_none()
        return None if found is None else lock_machine(self._session, found)

    def _bring_back(self, machine: Machine, told: MachineFacts, password: bytes | None, actor: Actor) -> Machine:
        before = _document(self.facts(machine))
        self._put(machine, told)
        machine.facts, machine.bmc_password_encrypted = None, password
        self.record(
            machine, "machine.enroll", "it was retired, and is back", actor, differences(before, _document(told))
        )
        move(self._session, machine, MachineState.ENROLL, "told of again; not inspected yet", actor)
        return machine

    def _put(self, machine: Machine, told: MachineFacts) -> None:
        for field, value in _columns(told).items():
            setattr(machine, field, value)
        machine.site_id = self._site(told.site).id

    def facts(self, machine: Machine) -> MachineFacts:
        """Return what is told of a machine."""
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

    def was_a_customers(self, machine: Machine) -> bool:
        """Tell whether a machine was ever held for anybody: then the proofs that it was wiped are kept, and it."""
        query = select(Workload.id).where(Workload.machine_id == machine.id).limit(1)
        return self._session.scalars(query).first() is not None

    def retire(self, machine: Machine, reason: str, actor: Actor) -> None:
        """Have a locked machine that nobody uses leave the pool: forgotten if it was never a customer's, else retired.

        The control plane forgets how to reach it. The record says so if its disks are not proven empty.
        """
        if not self.was_a_customers(machine):
            self.forget(machine, reason, actor)
            return
        proof = "" if is_wiped(machine) else "; its disks are not proven to be empty"
        machine.bmc_password_encrypted = machine.bmc_next_password_encrypted = None
        machine.boot_address = machine.server_number = None
        machine.power_verb = machine.power_asked_at = machine.power_taken_at = None
        move(self._session, machine, MachineState.RETIRED, f"{reason}{proof}", actor)

    def forget(self, machine: Machine, reason: str, actor: Actor) -> None:
        """Delete a locked machine that was never a customer's, with all that it was booted for."""
        self.record(machine, "machine.retire", reason, actor)
        resolve(self._session, AlertKind.MACHINE_QUARANTINED, machine.id)
        mine = select(Deployment.id).where(Deployment.machine_id == machine.id)
        for log in (ConsoleChunk, DeploymentEvent):
            self._session.execute(delete(log).where(log.deployment_id.in_(mine)))
        for table in (WipeReport, MachineGrant, Deployment):
            self._session.execute(delete(table).where(table.machine_id == machine.id))
        self._session.delete(machine)
        self._session.flush()

    def record(
        self, machine: Machine, action: str, reason: str, actor: Actor, diff: Mapping[str, Any] | None = None
    ) -> None:
        """Flush, and have a change of a machine recorded."""
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
