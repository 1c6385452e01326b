"""Switches machines on and off besides operations: for staff, and when a machine is nobody's to use any more."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from api.db.session import Database
from api.machines.power_wishes import PowerWishes
from automation.metal.power import PowerDrivers, PowerFailed, PowerVerb

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MachineSwitch:
    """Carries out what a machine's row says is wanted (``PowerWishes``), once; a lost message is found by the sweep."""

    database: Database
    power: PowerDrivers

    def switch(self, machine_id: UUID, verb: PowerVerb) -> bool:
        """Switch a machine if that is wanted still, and nobody else does it; returns whether it was done.

        Blocks for the BMC. What came of it is recorded in the audit trail, as asking for it was.

        Raises:
            NotFound: if there is no such machine.
        """
        with self.database.transaction() as transaction:
            access = PowerWishes(transaction.session).take(machine_id, verb)
        if access is None:
            return False
        try:
            self.power.open(access).do(verb)
        except PowerFailed as failure:
            _LOG.warning("machine_not_switched", machine=access.machine, verb=verb, code=failure.code)
            self._end(machine_id, verb, failure.detail, failure.code)
            return False
        self._end(machine_id, verb, f"switched: {verb}", "done")
        return True

    def _end(self, machine_id: UUID, verb: PowerVerb, reason: str, result: str) -> None:
        with self.database.transaction() as transaction:
            PowerWishes(transaction.session).end(machine_id, verb, reason, result)
