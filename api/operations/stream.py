"""An operation's log as server-sent events, for its owner and for staff."""

from collections.abc import AsyncIterator
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi.sse import ServerSentEvent

from api.db.session import Database
from api.operations.events import read_after
from api.operations.models import ACTIVE, Operation
from api.operations.schemas import EventView, OperationView

LARGEST_ID = 2**63 - 1
_POLL_SECONDS = 0.3


async def follow_log(
    database: Database, operation_id: UUID, after: int, *, follow: bool = True
) -> AsyncIterator[ServerSentEvent]:
    """Yield the lines behind line ``after``, and those to come until the operation has ended.

    Events: ``line`` (a log line), then one ``end`` with the operation once it has ended.

    Args:
        database: asked anew for each part, in a thread; no transaction is held in between.
        operation_id: of an operation that exists, and that the caller may see.
        after: the last line that is known; 0 for none.
        follow: wait for more; else stop at the newest line.
    """
    seen = after
    while True:
        lines, operation = await to_thread.run_sync(_read, database, operation_id, seen)
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
