"""Operations as the owner of their workload sees them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.operations.models import LogRow, Operation, OperationKind, OperationStatus


class OperationView(BaseModel):
    """An operation. ``error_detail`` is a sentence, ``error_code`` is for programs."""

    id: UUID
    workload_id: UUID
    kind: OperationKind
    status: OperationStatus
    attempts: int
    changes: Mapping[str, Any]
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, operation: Operation) -> "OperationView":
        """Show an operation."""
        return cls(
            id=operation.id,
            workload_id=operation.workload_id,
            kind=operation.kind,
            status=operation.status,
            attempts=operation.attempts,
            changes=operation.changes or {},
            error_code=operation.error_code,
            error_detail=operation.error_detail,
            created_at=operation.created_at,
            started_at=operation.started_at,
            finished_at=operation.finished_at,
        )


class EventView(BaseModel):
    """A line of a log; ``id`` is also the event stream's ``Last-Event-ID``."""

    id: int
    at: datetime
    attempt: int
    kind: str
    message: str
    data: Mapping[str, Any]

    @classmethod
    def of(cls, event: LogRow) -> "EventView":
        """Show a line."""
        return cls(
            id=event.id,
            at=event.at,
            attempt=event.attempt,
            kind=event.kind,
            message=event.message,
            data=event.data,
        )
