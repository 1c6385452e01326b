"""The list pass: one cheap look at each node in its turn, compared in memory with our rows. Reads the world only."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from api.db.session import Database
from api.drift.compare import compare, strays
from api.drift.expectations import Expectations, Owner
from api.drift.facts import Expected, ListedGuest, Records, Suspicion
from api.drift.findings import Findings, Look, copy_path
from api.drift.models import DriftKind
from api.drift.reporting import report, report_silence
from api.drift.runs import Claim, ScanRuns
from api.operations.leases import due_operations
from api.settings import WorkerSettings
from api.vault import Vault
from automation.drift.access import access_to
from automation.drift.records import RecordDirectory, read_zones
from automation.operations.guests import GuestDirectory, GuestError

_LOG = structlog.get_logger(__name__)
_PATIENCE_SECONDS = 300.0
"""A scan of this age is given up: listing a node takes seconds."""


@dataclass(frozen=True, slots=True)
class DriftScan:
    """Scans nodes for one worker process.

    No transaction is open while a node is asked, and no row of a workload or an operation is ever locked: an operation
    cannot tell that a scan is under way.
    """

    database: Database
    guests: GuestDirectory
    records: RecordDirectory
    vault: Vault
    settings: WorkerSettings

    def run(self, node_ids: Sequence[UUID] = ()) -> int:
        """Look at the nodes that are due, or at the given ones now; returns the number of guests listed. Blocks.

        Stops where it is as soon as an operation waits for a worker; the next run goes on.
        """
        with self.database.transaction() as transaction:
            nodes = node_ids or ScanRuns(transaction.session).due(self.settings.drift_scan_seconds)
        records, guests = None, 0
        for position, node_id in enumerate(nodes):
            if not node_ids and self._is_work_waiting():
                break
            if position == 0:
                records = read_zones(self.database, self.records)
            guests += self._scan(node_id, records)
        return guests

    def _is_work_waiting(self) -> bool:
        with self.database.transaction() as transaction:
            return bool(due_operations(transaction.session, self.settings.clones_per_storage, limit=1))

    def _scan(self, node_id: UUID, records: Records | None) -> int:
        with self.database.transaction() as transaction:
            claim = ScanRuns(transaction.session).claim(node_id, _PATIENCE_SECONDS)
            expected = [] if claim is None else Expectations(transaction.session).on_node(node_id)
        if claim is None:
            return 0
        try:
            listed = self.guests.listing(access_to(claim.node, self.vault))
        except (GuestError, ValueError) as error:
            _LOG.warning("node_not_scanned", node=claim.node.name, error=str(error))
            with self.database.transaction() as transaction:
                report_silence(transaction.session, claim.node.id, claim.node.name, str(error))
                ScanRuns(transaction.session).finish(claim, error=str(error))
            return 0
        self._write(claim, expected, listed, records)
        return len(listed)

    def _write(
        self, claim: Claim, expected: Sequence[Expected], listed: Sequence[ListedGuest], records: Records | None
    ) -> None:
        by_vmid = {guest.vmid: guest for guest in listed}
        suspicions = compare(expected, by_vmid, records)
        outside = strays(expected, by_vmid)
        with self.database.transaction() as transaction:
            session = transaction.session
            suspicions += _copies(claim, outside, Expectations(session).owners(outside))
            look = Look(claim.node.id, claim.node.name, claim.started_at, expected, suspicions, records is not None)
            outcome = Findings(session).apply(look)
            report(session, look, outcome)
            ScanRuns(session).finish(claim, guests=len(listed), suspects=len(outcome.standing))


def _copies(claim: Claim, outside: Sequence[ListedGuest], owners: dict[int, Owner]) -> list[Suspicion]:
    """Return a suspicion for each live workload that has guests in places that are not its own.

    Those of nobody are for the orphan sweep.
    """
    found: dict[UUID, list[int]] = {}
    for guest in outside:
        owner = owners.get(guest.vmid)
        if owner is not None and owner.is_live and (owner.node_id, owner.vmid) != (claim.node.id, guest.vmid):
            found.setdefault(owner.workload_id, []).append(guest.vmid)
    return [
        Suspicion(workload_id, DriftKind.UNEXPECTED, tuple(copy_path(claim.node.name, vmid) for vmid in sorted(vmids)))
        for workload_id, vmids in found.items()
    ]
