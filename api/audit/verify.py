"""Proves that the audit trail is whole: no record changed, none missing, none moved, nothing cut off at the end."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.audit.chain import FIELDS, FIRST_PREVIOUS, seal
from api.audit.errors import BadAnchor
from api.audit.models import AuditHead, AuditRecord
from api.db.session import Database

BATCH = 1000
"""Records read at once; each batch has a short transaction of its own."""

MOST_FLAWS = 100
"""So many are listed; the rest is counted."""

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_COLUMNS: tuple[InstrumentedAttribute[object], ...] = tuple(getattr(AuditRecord, name) for name in (*FIELDS, "hash"))


class FlawKind(StrEnum):
    """What can be wrong with a trail."""

    CHANGED = "changed"
    """A record does not fit its own hash: it was edited, or moved to another place."""
    MISSING = "missing"
    """Records that must be there are not."""
    UNLINKED = "unlinked"
    """A record does not follow from the one before: one of them was replaced."""
    CUT_OFF = "cut_off"
    """The trail ends before its head."""
    HEAD = "head"
    """The head does not fit the trail's last record, or is gone."""
    ANCHOR = "anchor"
    """The trail does not hold the record that was noted elsewhere."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong, at the record ``seq``."""

    kind: FlawKind
    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the trail as it was once noted outside of the database."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``slipway audit head`` printed.

        Raises:
            BadAnchor: if it is not of that form.
        """
        found = _ANCHOR.fullmatch(text.strip())
        if found is None:
            raise BadAnchor("the head to compare with must be as `slipway audit head` printed it: NUMBER:HASH")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(slots=True)
class Report:
    """What a verification found.

    Attributes:
        records: how many were read.
        count: of all flaws, those beyond ``MOST_FLAWS`` included.
        head: the end of the trail as the head row has it; None if there is none.
    """

    records: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    count: int = 0
    head: Anchor | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.count == 0

    def add(self, kind: FlawKind, seq: int, what: str) -> None:
        """Note a flaw."""
        self.count += 1
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(Flaw(kind, seq, what))


def read_head(session: Session) -> Anchor | None:
    """Return the present end of the trail; None if its row is gone."""
    row = session.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
    return None if row is None else Anchor(row.seq, row.hash)


def verify(database: Database, since_head: Anchor | None = None, *, batch: int = BATCH) -> Report:
    """Check the whole trail, in a time that grows with it; others may append meanwhile.

    Args:
        database: whose trail.
        since_head: what the trail's end once was: whoever rewrote all of it since then is found out too.
        batch: records read at once.
    """
    with database.transaction() as transaction:
        head, last = _ends(transaction.session)
    report = Report(head=head)
    walk = _Walk(report, since_head)
    for rows in _batches(database, last, batch):
        for row in rows:
            walk.step(row)
    walk.end()
    return report


def _ends(session: Session) -> tuple[Anchor | None, int]:
    """Return head and last record's number as one statement sees them: others append meanwhile."""
    one = select(
        select(AuditHead.seq).scalar_subquery(),
        select(AuditHead.hash).scalar_subquery(),
        select(func.max(AuditRecord.seq)).scalar_subquery(),
    )
    seq, digest, last = session.execute(one).one()
    return (None if seq is None else Anchor(seq, digest)), (-1 if last is None else last)


class _Walk:
    """Goes from record to record, each held against the one before."""

    def __init__(self, report: Report, anchor: Anchor | None) -> None:
        self._report = report
        self._anchor = anchor
        self._seq = -1
        self._hash = FIRST_PREVIOUS

    def step(self, row: dict[str, object]) -> None:
        """Look at the next record."""
        report, seq, own = self._report, int(str(row["seq"])), str(row["hash"])
        report.records += 1
        expected = self._seq + 1
        if seq != expected:
            report.add(FlawKind.MISSING, expected, f"records {expected} to {seq - 1} are missing")
        elif row["prev_hash"] != self._hash:
            report.add(FlawKind.UNLINKED, seq, f"record {seq} does not follow from record {seq - 1}")
        if not _fits(row, own):
            report.add(FlawKind.CHANGED, seq, f"record {seq} was changed: it does not fit its hash")
        if self._anchor is not None and self._anchor.seq == seq and self._anchor.hash != own:
            report.add(FlawKind.ANCHOR, seq, f"record {seq} is not the one that was noted elsewhere")
        self._seq, self._hash = seq, own

    def end(self) -> None:
        """Hold the last record against the head, and against what was noted elsewhere."""
        report, head = self._report, self._report.head
        if head is None:
            report.add(FlawKind.HEAD, self._seq, "the trail's head is gone")
        elif head.seq > self._seq:
            report.add(FlawKind.CUT_OFF, self._seq + 1, f"records {self._seq + 1} to {head.seq} were cut off")
        elif head.seq < self._seq:
            report.add(FlawKind.HEAD, self._seq, f"the head is at record {head.seq}, the trail goes on to {self._seq}")
        elif head.hash != self._hash:
            report.add(FlawKind.HEAD, self._seq, f"the head does not fit record {self._seq}")
        if self._anchor is not None and self._anchor.seq > self._seq:
            report.add(FlawKind.ANCHOR, self._anchor.seq, f"the trail once had a record {self._anchor.seq}")


def _fits(row: dict[str, object], own: str) -> bool:
    try:
        return seal(row) == own
    except ValueError:  # a number that no writer of ours would have written
        return False


def _batches(database: Database, last: int, batch: int) -> Iterator[Sequence[dict[str, object]]]:
    """Read the records up to ``last`` in their order; they never change, so each batch may have its own snapshot."""
    after = -1
    while after < last:
        query = select(*_COLUMNS).where(AuditRecord.seq > after, AuditRecord.seq <= last)
        with database.transaction() as transaction:
            rows = transaction.session.execute(query.order_by(AuditRecord.seq).limit(batch)).mappings().all()
        if not rows:
            return
        after = rows[-1]["seq"]
        yield [dict(row) for row in rows]
