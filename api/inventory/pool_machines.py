"""The pool's machines as a platform stack tells of them: added, changed, and taken out of the pool."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit.trail import Actor
from api.errors import Conflict, InvalidInput
from api.inventory.models import Site
from api.machines.inputs import MachineFacts
from api.machines.lifecycle import lock_machine, move
from api.machines.models import Machine
from api.machines.outcomes import DeploymentOutcomes
from api.machines.register import UNUSED, MachineRegister
from components.specs.machine import MachineState
from components.specs.platform import MachineReport

_PLAIN = tuple(name for name in MachineReport.model_fields if name not in {"site", "bmc"})
_BMC = ("driver", "address", "system", "user", "verify_tls")


class PoolMachines:
    """Writes machines for a report; within a transaction that has ``lock_estate``, and that the caller commits.

    A machine that is new is ``enroll``, without its BMC's password, which no stack knows: a person deposits it, and
    asks for the inspection. What happens to machines besides (states, whose they are) is none of a stack's business.
    """

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._register = MachineRegister(session)

    def write(self, entry: MachineReport) -> None:
        """Add a machine, or change what is told of it; network cards that an inspection has learnt besides stay.

        Raises:
            InvalidInput: if its site is unknown.
            Conflict: if another machine is known by something of it, or its hardware would change while it is in use.
        """
        machine_id = self._session.scalars(select(Machine.id).where(Machine.name == entry.name)).one_or_none()
        machine = None if machine_id is None else lock_machine(self._session, machine_id)
        macs = entry.macs if machine is None or not set(entry.macs) <= set(machine.macs) else machine.macs
        told = _facts(entry, macs)
        try:
            if machine is None or machine.state is MachineState.RETIRED:
                self._register.add(told, None, self._actor)
            else:
                self._register.change(machine, told, self._actor)
        except (Conflict, InvalidInput) as refusal:
            raise type(refusal)(f"machine '{entry.name}': {refusal.detail}") from None

    def withdraw(self, names: Collection[str], stack: str) -> None:
        """Take machines that no customer has out of the pool: forgotten, or retired if they ever had customers.

        What one of them is being booted for is aborted. The caller has seen that they are nobody's.
        """
        reason = f"the stack '{stack}' describes it no more"
        query = select(Machine.id).where(Machine.name.in_(names)).order_by(Machine.id)
        for machine_id in self._session.scalars(query).all():
            machine = lock_machine(self._session, machine_id)
            if machine.state not in UNUSED:
                DeploymentOutcomes(self._session).abort(machine, reason)
                move(self._session, machine, MachineState.QUARANTINE, reason, self._actor)
            self._register.retire(machine, reason, self._actor)


def held_machines(session: Session) -> dict[str, dict[str, Any]]:
    """Return what is told of each machine today, by name, as a report has it; retired ones are no part of the pool."""
    query = select(Machine, Site.slug).join(Site, Site.id == Machine.site_id)
    rows = session.execute(query.where(Machine.state != MachineState.RETIRED))
    return {
        machine.name: {
            **{name: getattr(machine, name) for name in _PLAIN},
            "site": site,
            "bmc": {name: getattr(machine, f"bmc_{name}") for name in _BMC},
        }
        for machine, site in rows
    }


def machine_now(entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a machine's row as an entry of a report: cards that an inspection has learnt besides are as told."""
    told = entry["macs"]
    return {**row, "macs": told if set(told) <= set(row["macs"]) else row["macs"]}


def _facts(entry: MachineReport, macs: Collection[str]) -> MachineFacts:
    bmc = {f"bmc_{name}": getattr(entry.bmc, name) for name in _BMC}
    plain = {name: getattr(entry, name) for name in _PLAIN}
    return MachineFacts.model_validate({**plain, **bmc, "site": entry.site, "macs": list(macs)})
