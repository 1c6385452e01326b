"""The sweep for things without a counterpart, both ways, and the removal of one that somebody has decided about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select

from api.db.session import Database
from api.dns.models import DnsZone
from api.drift.compare import strays
from api.drift.errors import NotRemovable
from api.drift.expectations import Expectations
from api.drift.facts import Expected, ListedGuest, order_of
from api.drift.models import OrphanKind, OrphanSighting, OrphanStatus
from api.drift.orphans import Orphans, orphan_of
from api.drift.removal import Orphan, order_tag, removal_refusal
from api.inventory.models import NODES_IN_USE, Node
from api.jobs import Job, JobQueue
from api.orders.release import release_reservations
from api.settings import WorkerSettings
from api.vault import Vault
from automation.drift.access import access_to
from automation.drift.records import RecordDirectory, RecordError
from automation.operations.guests import GuestDirectory, GuestError

_LOG = structlog.get_logger(__name__)
_GUESTS = (OrphanKind.GUEST_WITHOUT_ROW, OrphanKind.ROW_WITHOUT_GUEST)


@dataclass(frozen=True, slots=True)
class OrphanSweep:
    """Sweeps for one worker process; deletes nothing unless a person, or the setting, has decided so."""

    database: Database
    guests: GuestDirectory
    records: RecordDirectory
    jobs: JobQueue
    vault: Vault
    settings: WorkerSettings

    def run(self) -> None:
        """Look at every node, zone and pool, and pass on what was decided; blocks on the network.

        A node or zone that does not answer says nothing: its orphans are neither seen nor gone.
        """
        with self.database.transaction() as transaction:
            nodes = transaction.session.scalars(select(Node).where(Node.state.in_(NODES_IN_USE))).all()
            zones = transaction.session.scalars(select(DnsZone)).all()
        for node in nodes:
            self._sweep_node(node)
        for zone in zones:
            self._sweep_zone(zone)
        self._sweep_addresses()
        self._pass_on()

    def remove(self, orphan_id: UUID) -> None:
        """Remove an orphan whose removal was decided; does nothing about another. Blocks on the network.

        Whose it is is looked at once more, in our rows and in the world: what has found its counterpart stays.
        """
        with self.database.transaction() as transaction:
            sighting = Orphans(transaction.session).locked(orphan_id)
            if sighting.status is not OrphanStatus.REMOVING:
                return
            orphan = orphan_of(sighting)
            error = self._owned_by_now(Orphans(transaction.session), orphan)
        if error is None:
            try:
                error = self._delete(orphan)
            except (GuestError, RecordError, ValueError) as failure:
                error = str(failure)
        with self.database.transaction() as transaction:
            orphans = Orphans(transaction.session)
            sighting = orphans.locked(orphan_id)
            if sighting.status is OrphanStatus.REMOVING:
                orphans.end_removal(sighting, error)

    def _sweep_node(self, node: Node) -> None:
        with self.database.transaction() as transaction:
            since = transaction.session.execute(select(func.now())).scalar_one()
            expected = Expectations(transaction.session).on_node(node.id)
        try:
            listed = self.guests.listing(access_to(node, self.vault))
        except (GuestError, ValueError) as error:
            _LOG.warning("node_not_swept", node=node.name, error=str(error))
            return
        by_vmid = {guest.vmid: guest for guest in listed}
        missing = [one for one in expected if one.vmid not in by_vmid]
        with self.database.transaction() as transaction:
            expectations = Expectations(transaction.session)
            seen = [
                *_guests_of_nobody(expectations, node, strays(expected, by_vmid)),
                *_rows_without_guest(expectations, node, missing, since),
            ]
            Orphans(transaction.session).see(_GUESTS, node.name, seen, self.settings.operation_lifetime_seconds)

    def _sweep_zone(self, zone: DnsZone) -> None:
        try:
            records = self.records.listing(zone.provider_zone_id)
        except RecordError as error:
            _LOG.warning("zone_not_swept", zone=zone.name, error=str(error))
            return
        kind = OrphanKind.DNS_RECORD_WITHOUT_ROW
        ours = [(record, order) for record in records if (order := order_of(frozenset({record.comment}))) is not None]
        with self.database.transaction() as transaction:
            orphans = Orphans(transaction.session)
            known = orphans.live_orders(order for _, order in ours)
            seen = [
                Orphan(kind, zone.name, record.id, f"{record.name} {record.type}", (record.comment,))
                for record, order in ours
                if order not in known
            ]
            orphans.see((kind,), zone.name, seen, self.settings.operation_lifetime_seconds)

    def _sweep_addresses(self) -> None:
        kind = OrphanKind.ADDRESS_WITHOUT_GUEST
        with self.database.transaction() as transaction:
            orphans = Orphans(transaction.session)
            by_pool: dict[str, list[Orphan]] = {}
            for orphan in orphans.idle_addresses():
                by_pool.setdefault(orphan.place, []).append(orphan)
            known = select(OrphanSighting.place).where(
                OrphanSighting.kind == kind, OrphanSighting.status.in_((OrphanStatus.SEEN, OrphanStatus.CONFIRMED))
            )
            for pool in {*by_pool, *transaction.session.scalars(known)}:
                orphans.see((kind,), pool, by_pool.get(pool, []), self.settings.operation_lifetime_seconds)

    def _pass_on(self) -> None:
        """Send the removals that were decided, again if their message was lost; decide where the setting says so."""
        with self.database.transaction() as transaction:
            orphans = Orphans(transaction.session)
            if self.settings.orphans_removed_automatically:
                for sighting in orphans.confirmed():
                    if removal_refusal(orphan_of(sighting), sighting.status) is None:
                        orphans.request_removal(sighting.id, None, "confirmed orphans are removed automatically")
            due = orphans.to_remove()
        for orphan_id in due:
            self.jobs.enqueue(Job.REMOVE_ORPHAN, orphan_id)

    def _owned_by_now(self, orphans: Orphans, orphan: Orphan) -> str | None:
        order = order_of(frozenset(orphan.tags))
        if order is not None and orphans.live_orders([order]):
            return "its order has a live workload by now: it is no orphan"
        return removal_refusal(orphan, OrphanStatus.CONFIRMED)

    def _delete(self, orphan: Orphan) -> str | None:
        """Delete what the orphan is; returns why it was left alone, if it was."""
        if orphan.kind is OrphanKind.GUEST_WITHOUT_ROW:
            return self._delete_guest(orphan)
        if orphan.kind is OrphanKind.DNS_RECORD_WITHOUT_ROW:
            with self.database.transaction() as transaction:
                zone = transaction.session.scalars(select(DnsZone).where(DnsZone.name == orphan.place)).one()
            gone = self.records.remove(zone.provider_zone_id, orphan.subject, order_tag(orphan))
            return None if gone else "the record's comment has changed: it is not ours any more"
        with self.database.transaction() as transaction:
            if orphan.workload_id is None:
                raise NotRemovable("the address is nobody's")
            quarantine = timedelta(seconds=self.settings.address_quarantine_seconds)
            release_reservations(transaction.session, orphan.workload_id, quarantine)
        return None

    def _delete_guest(self, orphan: Orphan) -> str | None:
        with self.database.transaction() as transaction:
            node = transaction.session.scalars(select(Node).where(Node.name == orphan.place)).one()
        gone = self.guests.remove(access_to(node, self.vault), int(orphan.subject), order_tag(orphan))
        return None if gone else "the guest's tags have changed: it is not ours any more"


def _guests_of_nobody(expectations: Expectations, node: Node, outside: Sequence[ListedGuest]) -> list[Orphan]:
    owners = expectations.owners(outside)
    return [
        Orphan(
            kind=OrphanKind.GUEST_WITHOUT_ROW,
            place=node.name,
            subject=str(guest.vmid),
            name=guest.name,
            tags=tuple(sorted(guest.tags)),
            vmid=guest.vmid,
            guest_kind=guest.kind,
        )
        for guest in outside
        if guest.vmid not in owners or not owners[guest.vmid].is_live
    ]


def _rows_without_guest(
    expectations: Expectations, node: Node, missing: Sequence[Expected], since: datetime
) -> list[Orphan]:
    if not missing:
        return []
    states = expectations.states([one.workload_id for one in missing], since)
    return [
        Orphan(
            kind=OrphanKind.ROW_WITHOUT_GUEST,
            place=node.name,
            subject=str(one.vmid),
            name=one.name,
            vmid=one.vmid,
            guest_kind=one.kind,
            workload_id=one.workload_id,
        )
        for one in missing
        if states[one.workload_id].is_settled and states[one.workload_id].is_wanted
    ]
