"""Logs as server-sent events, for an operation's owner and for staff."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel

from api.db.session import Database
from api.operations.events import read_after
from api.operations.models import ACTIVE, Operation
from api.operations.schemas import EventView, OperationView

LARGEST_ID = 2**63 - 1
_POLL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class LogPart:
    """A part of a log, and whose it is: read before the lines, so that none written before its end is missed."""

    subject: BaseModel
    is_active: bool
    lines: Sequence[EventView]


async def follow_log(
    database: Database, operation_id: UUID, after: int, *, follow: bool = True
) -> AsyncIterator[ServerSentEvent]:
    """Yield the lines behind line ``after`` of an operation's log; see ``follow_parts``.

    Args:
        database: asked anew for each part, in a thread; no transaction is held in between.
        operation_id: of an operation that exists, and that the caller may see.
        after: the last line that is known; 0 for none.
        follow: wait for more; else stop at the newest line.
    """
    async for event in follow_parts(lambda seen: _read(database, operation_id, seen), after, follow=follow):
        yield event


async def follow_parts(
    read: Callable[[int], LogPart], after: int, *, follow: bool = True
) -> AsyncIterator[ServerSentEvent]:
    """Yield the lines behind line ``after``, and those to come until the subject has ended.

    Events: ``line`` (a log line), then one ``end`` with the subject once it has ended.

    Args:
        read: returns what follows a line; called in a thread.
        after: the last line that is known; 0 for none.
        follow: wait for more; else stop at the newest line.
    """
    seen = after
    while True:
        part = await to_thread.run_sync(read, seen)
        for line in part.lines:
            seen = line.id
            yield ServerSentEvent(event="line", id=str(line.id), data=line)
        if not part.is_active and not part.lines:
            yield ServerSentEvent(event="end", id=str(seen), data=part.subject)
            return
        if not part.lines:
            if not follow:
                return
            await anyio.sleep(_POLL_SECONDS)


def _read(database: Database, operation_id: UUID, after: int) -> LogPart:
    with database.transaction() as transaction:
        operation = transaction.session.get_one(Operation, operation_id)
        view, is_active = OperationView.of(operation), operation.status in ACTIVE
        lines = [EventView.of(event) for event in read_after(transaction.session, operation_id, after)]
        return LogPart(view, is_active, lines)
