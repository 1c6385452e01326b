"""Which node is looked at next, and by whom: one scan of a node at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.drift.models import ScanRun
from api.inventory.models import NODES_IN_USE, Node

_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Claim:
    """A scan that is ours to make; ``started_at`` is the database's time."""

    run_id: UUID
    node: Node
    started_at: datetime


class ScanRuns:
    """Reads and writes scans; each call belongs in a short transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def due(self, interval_seconds: float) -> Sequence[UUID]:
        """Return the nodes in use that were not looked at for so long, the longest neglected first."""
        age = timedelta(seconds=interval_seconds)
        last = select(func.max(ScanRun.started_at)).where(ScanRun.node_id == Node.id).correlate(Node).scalar_subquery()
        fresh = exists().where(ScanRun.node_id == Node.id, ScanRun.started_at > func.now() - age)
        query = select(Node.id).where(Node.state.in_(NODES_IN_USE), ~fresh).order_by(last.asc().nulls_first())
        return self._session.scalars(query).all()

    def claim(self, node_id: UUID, patience_seconds: float) -> Claim | None:
        """Begin a scan; None if one is under way. One that is older than the patience is given up: its worker died."""
        lost = ScanRun.started_at < func.now() - timedelta(seconds=patience_seconds)
        self._session.execute(
            update(ScanRun)
            .where(ScanRun.node_id == node_id, ScanRun.ended_at.is_(None), lost)
            .values(ended_at=func.now(), error="the worker did not come back")
        )
        row = self._session.execute(
            insert(ScanRun)
            .values(id=uuid7(), node_id=node_id)
            .on_conflict_do_nothing(index_elements=["node_id"], index_where=ScanRun.ended_at.is_(None))
            .returning(ScanRun.id, ScanRun.started_at)
        ).one_or_none()
        return None if row is None else Claim(row[0], self._session.get_one(Node, node_id), row[1])

    def finish(self, claim: Claim, *, guests: int = 0, suspects: int = 0, error: str | None = None) -> None:
        """End a scan and forget those of more than a week ago."""
        seconds = func.extract("epoch", func.clock_timestamp() - ScanRun.started_at)
        values = {"ended_at": func.clock_timestamp(), "seconds": seconds}
        self._session.execute(
            update(ScanRun)
            .where(ScanRun.id == claim.run_id)
            .values(guests=guests, suspects=suspects, error=error, **values)
        )
        self._session.execute(
            delete(ScanRun).where(ScanRun.node_id == claim.node.id, ScanRun.started_at < func.now() - _KEPT)
        )
