"""Logs of what engines do: appended by a worker, read by an operation's owner and by staff."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.operations.models import LogRow, OperationEvent

Row = TypeVar("Row", bound=LogRow)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for the log: free of secrets, readable by a customer."""

    kind: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


def append(session: Session, operation_id: UUID, attempt: int, lines: Iterable[LogLine]) -> None:
    """Append lines to an operation's log in one statement."""
    append_to(session, OperationEvent.operation_id, operation_id, attempt, lines)


def read_after(session: Session, operation_id: UUID, after: int, limit: int = 200) -> list[OperationEvent]:
    """Return the lines that follow line ``after`` (0 for the first) of an operation's log, oldest first."""
    return read_from(session, OperationEvent, OperationEvent.operation_id == operation_id, after, limit)


def append_to(
    session: Session, subject: InstrumentedAttribute[UUID], subject_id: UUID, attempt: int, lines: Iterable[LogLine]
) -> None:
    """Append lines in one statement; ``subject`` is the column of the log's table that says whose they are."""
    rows = [
        {
            subject.key: subject_id,
            "attempt": attempt,
            "kind": line.kind,
            "message": line.message,
            "data": dict(line.data),
        }
        for line in lines
    ]
    if rows:
        session.execute(insert(subject.class_), rows)


def read_from(session: Session, table: type[Row], is_subject: Any, after: int, limit: int = 200) -> list[Row]:
    """Return the lines of one log that follow line ``after``, oldest first."""
    query = select(table).where(is_subject, table.id > after).order_by(table.id).limit(limit)
    return list(session.scalars(query))
