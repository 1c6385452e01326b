"""Switches machines on and off for staff."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from api.audit.trail import SYSTEM, AuditEntry, record
from api.db.session import Database
from api.machines.bmc import BmcAccess
from api.machines.deployments import Deployments
from api.machines.models import Machine
from automation.metal.power import PowerDrivers, PowerFailed, PowerVerb

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MachineSwitch:
    """Carries out what was asked for, once: a message that is lost is asked for again by whoever waits."""

    database: Database
    power: PowerDrivers

    def switch(self, machine_id: UUID, verb: PowerVerb) -> bool:
        """Switch a machine, unless it is being booted for something; returns whether it was done. Blocks for the BMC.

        What came of it is recorded in the audit trail, as asking for it was.
        """
        with self.database.transaction() as transaction:
            machine = transaction.session.get(Machine, machine_id)
            if machine is None or Deployments(transaction.session).look(machine_id) is not None:
                return False
            access = BmcAccess.of(machine)
        try:
            self.power.open(access).do(verb)
        except PowerFailed as failure:
            _LOG.warning("machine_not_switched", machine=access.machine, verb=verb, code=failure.code)
            self._record(access.machine, verb, failure.detail, failure.code)
            return False
        self._record(access.machine, verb, f"switched: {verb}", "done")
        return True

    def _record(self, machine: str, verb: PowerVerb, reason: str, result: str) -> None:
        entry = AuditEntry(
            action="machine.switch",
            actor=SYSTEM,
            subject_type="machine",
            subject_id=machine,
            reason=reason,
            diff={"verb": verb.value},
            result=result,
        )
        with self.database.transaction() as transaction:
            record(transaction.session, entry)
