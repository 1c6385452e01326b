"""A run's log as server-sent events, for staff."""

from collections.abc import AsyncIterator
from uuid import UUID

from fastapi.sse import ServerSentEvent

from api.db.session import Database
from api.operations.events import read_from
from api.operations.schemas import EventView
from api.operations.stream import LogPart, follow_parts
from api.platform.models import ACTIVE_RUNS, PlatformRun, PlatformRunEvent
from api.platform.schemas import RunView


async def follow_run(
    database: Database, run_id: UUID, after: int, *, follow: bool = True
) -> AsyncIterator[ServerSentEvent]:
    """Yield the lines behind line ``after`` of the log of a run that exists; see ``follow_parts``."""
    async for event in follow_parts(lambda seen: _read(database, run_id, seen), after, follow=follow):
        yield event


def _read(database: Database, run_id: UUID, after: int) -> LogPart:
    with database.transaction() as transaction:
        session = transaction.session
        run = session.get_one(PlatformRun, run_id)
        view, is_active = RunView.of(run), run.status in ACTIVE_RUNS
        rows = read_from(session, PlatformRunEvent, PlatformRunEvent.run_id == run_id, after)
        return LogPart(view, is_active, [EventView.of(row) for row in rows])
