"""The operation's log: appended by its worker, read by its owner."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from api.operations.models import OperationEvent


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for the log: free of secrets, readable by a customer."""

    kind: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


def append(session: Session, operation_id: UUID, attempt: int, lines: Iterable[LogLine]) -> None:
    """Append lines in one statement."""
    rows = [
        {
            "operation_id": operation_id,
            "attempt": attempt,
            "kind": line.kind,
            "message": line.message,
            "data": dict(line.data),
        }
        for line in lines
    ]
    if rows:
        session.execute(insert(OperationEvent), rows)


def read_after(session: Session, operation_id: UUID, after: int, limit: int = 200) -> list[OperationEvent]:
    """Return the lines that follow line ``after`` (0 for the first), oldest first."""
    return list(
        session.scalars(
            select(OperationEvent)
            .where(OperationEvent.operation_id == operation_id, OperationEvent.id > after)
            .order_by(OperationEvent.id)
            .limit(limit)
        )
    )
