"""Finds the place that an operation works at."""

from dataclasses import dataclass

from api.db.session import Database
from api.operations.leased import Leased, LeasedMachine
from api.settings import WorkerSettings
from api.vault import Vault
from automation.operations.guest_place import GuestPlace, node_access
from automation.operations.guests import GuestDirectory
from automation.operations.machine_place import Bmcs, MachinePlace
from automation.operations.places import Place


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Knows nodes and machines, for one worker process."""

    database: Database
    guests: GuestDirectory
    bmcs: Bmcs
    vault: Vault
    settings: WorkerSettings

    def of(self, lease: Leased) -> Place:
        """Return the place of a leased operation; opens credentials, asks nobody."""
        if isinstance(lease.place, LeasedMachine):
            return MachinePlace(lease, lease.place, self.database, self.bmcs, self.vault, self.settings)
        return GuestPlace(lease, node_access(lease.place, self.vault), self.guests, self.settings)
