"""The audit trail as JSON lines, for archives and other systems; read in batches, however long it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from api.audit.chain import FIELDS, document
from api.audit.models import AuditRecord
from api.db.session import Database
from api.errors import InvalidInput

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are wanted; all of them unless something is said.

    Attributes:
        since: the first moment, zone-aware.
        until: the moment after the last.
        subject_type: the kind of thing, such as ``workload``.
        subject_id: one thing.
    """

    since: datetime | None = None
    until: datetime | None = None
    subject_type: str | None = None
    subject_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            InvalidInput: if a moment has no zone, or the end comes before the beginning.
        """
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None and moment.tzinfo is None:
                raise InvalidInput(f"'{name}' needs a zone, as in 2030-01-31T12:00:00Z", field=name)
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput("'since' must come before 'until'", field="since")

    def query(self) -> Select[AuditRecord]:
        """Select the records, in no order yet."""
        query = select(AuditRecord)
        if self.since is not None:
            query = query.where(AuditRecord.at >= self.since)
        if self.until is not None:
            query = query.where(AuditRecord.at < self.until)
        if self.subject_type is not None:
            query = query.where(AuditRecord.subject_type == self.subject_type)
        if self.subject_id is not None:
            query = query.where(AuditRecord.subject_id == self.subject_id)
        return query


def export(database: Database, selection: Selection, *, batch: int = BATCH) -> Iterator[str]:
    """Return the records as lines of JSON without their ends, the oldest first; blocks for one batch at a time.

    Each has its hash and that of the record before, so that a whole export can be checked without the database.
    """
    after = -1
    while True:
        query = selection.query().where(AuditRecord.seq > after).order_by(AuditRecord.seq).limit(batch)
        with database.transaction() as transaction:
            records = transaction.session.scalars(query).all()
        for record in records:
            yield json.dumps(as_document(record), sort_keys=True, ensure_ascii=False)
        if len(records) < batch:
            return
        after = records[-1].seq


def as_document(record: AuditRecord) -> dict[str, Any]:
    """Return a record with all that its hash covers, and its hash."""
    return {**document({name: getattr(record, name) for name in FIELDS}), "hash": record.hash}
