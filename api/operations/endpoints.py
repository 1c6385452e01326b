"""Operations and their live logs."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.principal import Principal, require
from api.db.session import Database
from api.operations.events import read_after
from api.operations.models import ACTIVE, Operation
from api.operations.schemas import EventView, OperationView
from api.runtime import RuntimeDep, SessionDep
from api.workloads.repository import WorkloadRepository

router = APIRouter(prefix="/operations", tags=["operations"])
Reader = Annotated[Principal, require("workloads:read")]
_POLL_SECONDS = 0.3
_LARGEST_ID = 2**63 - 1


@router.get("/{operation_id}")
def get_operation(operation_id: UUID, principal: Reader, session: SessionDep) -> OperationView:
    """Return an operation on one of your workloads."""
    return OperationView.of(WorkloadRepository(session, principal.user_id).operation(operation_id))


def check_readable(operation_id: UUID, principal: Reader, runtime: RuntimeDep) -> None:
    """Refuse before the stream begins, while a problem document can still be sent."""
    with runtime.database.transaction() as transaction:
        WorkloadRepository(transaction.session, principal.user_id).operation(operation_id)


@router.get("/{operation_id}/events", response_class=EventSourceResponse)
async def stream_events(
    operation_id: UUID,
    runtime: RuntimeDep,
    _readable: Annotated[None, Depends(check_readable)],
    last_event_id: Annotated[int, Header(ge=0, le=_LARGEST_ID)] = 0,
    *,
    follow: Annotated[bool, Query(description="wait for more until the operation has ended")] = True,
) -> AsyncIterator[ServerSentEvent]:
    """Stream an operation's log; a reader that was cut off goes on with ``Last-Event-ID``.

    Events: ``line`` (a log line), then one ``end`` with the operation once it has ended.
    """
    seen = last_event_id
    while True:
        lines, operation = await to_thread.run_sync(_read, runtime.database, operation_id, seen)
        for line in lines:
            seen = line.id
            yield ServerSentEvent(event="line", id=str(line.id), data=line)
        if operation.status not in ACTIVE and not lines:
            yield ServerSentEvent(event="end", id=str(seen), data=operation)
            return
        if not lines:
            if not follow:
                return
            await anyio.sleep(_POLL_SECONDS)


def _read(database: Database, operation_id: UUID, after: int) -> tuple[list[EventView], OperationView]:
    """Read the operation before its lines, so that no line written before its end is missed."""
    with database.transaction() as transaction:
        operation = OperationView.of(transaction.session.get_one(Operation, operation_id))
        return [EventView.of(event) for event in read_after(transaction.session, operation_id, after)], operation
