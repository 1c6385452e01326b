"""Keeps the orphans that sweeps see: two, far enough apart, confirm one; what is not seen again is gone."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, case, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, record
from api.drift.errors import NotRemovable
from api.drift.models import OrphanKind, OrphanSighting, OrphanStatus
from api.drift.removal import Orphan, removal_refusal
from api.errors import NotFound
from api.ipam.models import Address, AddressPool, AddressState
from api.workloads.models import Workload, WorkloadStatus

_LIVE = (OrphanStatus.SEEN, OrphanStatus.CONFIRMED, OrphanStatus.REMOVING)
_UNDECIDED = (OrphanStatus.SEEN, OrphanStatus.CONFIRMED)


class Orphans:
    """Reads and writes sightings; the caller's transaction is short."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def see(
        self, kinds: Collection[OrphanKind], place: str, seen: Sequence[Orphan], confirm_after_seconds: float
    ) -> None:
        """Write what one sweep saw of some kinds in one place; two statements, however many there are.

        Args:
            kinds: the kinds that were looked for: those of them that were not seen are gone.
            place: where.
            seen: what was there.
            confirm_after_seconds: how far first and last sighting must lie apart.
        """
        if seen:
            self._session.execute(self._sightings(seen, timedelta(seconds=confirm_after_seconds)))
        self._session.execute(
            update(OrphanSighting)
            .where(
                OrphanSighting.kind.in_(kinds),
                OrphanSighting.place == place,
                OrphanSighting.status.in_(_UNDECIDED),
                OrphanSighting.subject.not_in([orphan.subject for orphan in seen]),
            )
            .values(status=OrphanStatus.GONE)
            .execution_options(synchronize_session=False)
        )

    def idle_addresses(self) -> list[Orphan]:
        """Return the addresses that are held for workloads that were deleted; one statement."""
        query = (
            select(Address.network, AddressPool.name, Workload.name, Workload.id)
            .join(AddressPool, AddressPool.id == Address.pool_id)
            .join(Workload, Workload.id == Address.workload_id)
            .where(Address.state == AddressState.HELD, Workload.status == WorkloadStatus.DELETED)
        )
        kind = OrphanKind.ADDRESS_WITHOUT_GUEST
        return [
            Orphan(kind, pool, str(network), name, workload_id=workload_id)
            for network, pool, name, workload_id in self._session.execute(query)
        ]

    def live_orders(self, order_ids: Iterable[UUID]) -> set[UUID]:
        """Return those of some orders whose workloads are not deleted."""
        query = select(Workload.order_id).where(
            Workload.order_id.in_(set(order_ids)), Workload.status != WorkloadStatus.DELETED
        )
        return set(self._session.scalars(query))

    def request_removal(self, orphan_id: UUID, by: UUID | None, reason: str) -> OrphanSighting:
        """Decide that an orphan goes; a worker then removes it, after having looked once more.

        Raises:
            NotFound: if there is no such orphan.
            NotRemovable: if it must not be removed, or not yet.
        """
        sighting = self.locked(orphan_id)
        refusal = removal_refusal(orphan_of(sighting), sighting.status)
        if refusal is not None:
            raise NotRemovable(refusal, status_now=sighting.status.value)
        sighting.status, sighting.requested_by, sighting.reason = OrphanStatus.REMOVING, by, reason
        sighting.error = None
        self._record("orphan.remove", sighting)
        self._session.flush()
        return sighting

    def end_removal(self, sighting: OrphanSighting, error: str | None) -> None:
        """Write how a removal ended; one that failed waits for another decision."""
        sighting.status = OrphanStatus.REMOVED if error is None else OrphanStatus.CONFIRMED
        sighting.error = error
        self._record("orphan.removed" if error is None else "orphan.kept", sighting)

    def locked(self, orphan_id: UUID) -> OrphanSighting:
        """Return an orphan, locked until the transaction ends.

        Raises:
            NotFound: if there is none.
        """
        sighting = self._session.scalars(
            select(OrphanSighting)
            .where(OrphanSighting.id == orphan_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if sighting is None:
            raise NotFound("there is no such orphan")
        return sighting

    def to_remove(self) -> Sequence[UUID]:
        """Return the orphans whose removal was decided and has not ended."""
        return self._session.scalars(
            select(OrphanSighting.id).where(OrphanSighting.status == OrphanStatus.REMOVING)
        ).all()

    def confirmed(self) -> Sequence[OrphanSighting]:
        """Return the orphans about which somebody has to decide."""
        return self._session.scalars(
            select(OrphanSighting).where(OrphanSighting.status == OrphanStatus.CONFIRMED).order_by(OrphanSighting.id)
        ).all()

    def _sightings(self, seen: Sequence[Orphan], apart: timedelta) -> Insert:
        rows = [
            {
                "id": uuid7(),
                "kind": orphan.kind,
                "place": orphan.place,
                "subject": orphan.subject,
                "vmid": orphan.vmid,
                "guest_kind": orphan.guest_kind,
                "name": orphan.name,
                "tags": list(orphan.tags),
                "workload_id": orphan.workload_id,
                "first_seen": func.now(),
                "last_seen": func.now(),
                "sightings": 1,
                "status": OrphanStatus.SEEN,
            }
            for orphan in seen
        ]
        statement = insert(OrphanSighting).values(rows)
        is_sure = and_(OrphanSighting.status == OrphanStatus.SEEN, OrphanSighting.first_seen <= func.now() - apart)
        return statement.on_conflict_do_update(
            index_elements=["kind", "place", "subject"],
            index_where=OrphanSighting.status.in_(_LIVE),
            set_={
                "last_seen": func.now(),
                "sightings": OrphanSighting.sightings + 1,
                "name": statement.excluded.name,
                "tags": statement.excluded.tags,
                "status": case((is_sure, OrphanStatus.CONFIRMED), else_=OrphanSighting.status),
            },
        )

    def _record(self, action: str, sighting: OrphanSighting) -> None:
        record(
            self._session,
            AuditEntry(
                action=action,
                actor=Actor.by(sighting.requested_by),
                subject_type="orphan",
                subject_id=sighting.id,
                reason=sighting.error or sighting.reason,
                diff={"kind": sighting.kind.value, "place": sighting.place, "subject": sighting.subject},
                result=sighting.status.value,
            ),
        )


def orphan_of(sighting: OrphanSighting) -> Orphan:
    """Read what was seen."""
    return Orphan(
        kind=sighting.kind,
        place=sighting.place,
        subject=sighting.subject,
        name=sighting.name,
        tags=tuple(sighting.tags),
        vmid=sighting.vmid,
        guest_kind=sighting.guest_kind,
        workload_id=sighting.workload_id,
    )
