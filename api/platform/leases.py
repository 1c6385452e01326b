"""Leases on platform runs, with fences: the discipline of ``api.operations.leases`` for stacks of our own.

Times are the database's, so a worker's own clock does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from api.errors import LeaseLost
from api.operations.events import LogLine, append_to
from api.platform.models import PlatformRun, PlatformRunEvent, RunAction, RunStatus

_BEGINNINGS = {
    RunAction.PREVIEW: "Looking at what an update of {stack} would do.",
    RunAction.REFRESH: "Looking for what has changed on {stack} behind our back.",
    RunAction.UP: "Bringing {stack} up.",
    RunAction.DESTROY: "Removing {stack} and everything in it.",
}
_LOST = "another worker has taken this run over"


@dataclass(frozen=True, slots=True)
class LeasedRun:
    """A run as the worker that leased it sees it; everything it needs without another query.

    Attributes:
        fence: to be carried by every write.
        previous_engine: the engine of an earlier attempt, or of the stack's last run, that may live on or left the
            stack untidy (the runner's own document).
        is_overdue: the run's time was over when the lease was taken.
        seconds_left: until then.
    """

    run_id: UUID
    stack: str
    action: RunAction
    spec: Mapping[str, Any]
    refreshes: bool
    fence: int
    attempt: int
    previous_engine: Mapping[str, Any] | None
    is_overdue: bool
    seconds_left: float


class RunLeases:
    """Takes runs; each call belongs in a short transaction of its own."""

    def __init__(self, session: Session, owner: str, seconds: float) -> None:
        self._session = session
        self._owner = owner
        self._length = timedelta(seconds=seconds)

    def acquire(self, run_id: UUID) -> LeasedRun | None:
        """Take the lease if the run is due, or its holder has let the lease lapse; None if it is neither."""
        run = self._session.scalars(
            select(PlatformRun)
            .where(PlatformRun.id == run_id, _is_due())
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if run is None:
            return None
        now = self._session.execute(select(func.now())).scalar_one()
        run.status, run.waits_for = RunStatus.RUNNING, None
        run.fence += 1
        run.attempts += 1
        run.lease_owner, run.lease_until = self._owner, now + self._length
        run.started_at = run.started_at or now
        self._session.flush()
        return _leased(run, now)


class RunWrites:
    """What may be written under one lease; each call raises ``LeaseLost`` once somebody else has it."""

    def __init__(self, session: Session, lease: LeasedRun, seconds: float) -> None:
        """Bind ``lease``, held for ``seconds`` at a time, to a session."""
        self._session = session
        self._lease = lease
        self._length = timedelta(seconds=seconds)

    def begin(self) -> None:
        """Write the first line of the attempt's log."""
        self.log([LogLine("begin", _BEGINNINGS[self._lease.action].format(stack=self._lease.stack))])

    def renew(self) -> None:
        """Hold the lease for another full length."""
        self._write(lease_until=func.now() + self._length)

    def record_engine(self, document: Mapping[str, Any]) -> None:
        """Remember which child process works for this lease."""
        self._write(engine=dict(document))

    def log(self, lines: Sequence[LogLine]) -> None:
        """Append to the log; the lock lets nobody take the run over between the check and the commit."""
        mine = select(PlatformRun.id).where(*self._mine())
        if self._session.scalars(mine.with_for_update(read=True)).one_or_none() is None:
            raise LeaseLost(_LOST)
        append_to(self._session, PlatformRunEvent.run_id, self._lease.run_id, self._lease.attempt, lines)

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the run to end."""
        asked = select(PlatformRun.cancel_requested_at).where(PlatformRun.id == self._lease.run_id)
        return self._session.scalars(asked).one_or_none() is not None

    def hold(self) -> PlatformRun:
        """Lock the run for a last write."""
        run = self._session.scalars(
            select(PlatformRun).where(*self._mine()).with_for_update().execution_options(populate_existing=True)
        ).one_or_none()
        if run is None:
            raise LeaseLost(_LOST)
        return run

    def _write(self, **values: Any) -> None:
        result = self._session.execute(
            update(PlatformRun)
            .where(*self._mine())
            .values(**values)
            .returning(PlatformRun.id)
            .execution_options(synchronize_session=False)
        )
        if result.one_or_none() is None:
            raise LeaseLost(_LOST)

    def _mine(self) -> tuple[Any, Any, Any]:
        lease = self._lease
        return (
            PlatformRun.id == lease.run_id,
            PlatformRun.fence == lease.fence,
            PlatformRun.status == RunStatus.RUNNING,
        )


def due_runs(session: Session, limit: int = 100) -> list[UUID]:
    """Return runs that a worker can begin now: queued and due, or running under a lapsed lease; the oldest first."""
    return list(session.scalars(select(PlatformRun.id).where(_is_due()).order_by(PlatformRun.id).limit(limit)))


def _is_due() -> Any:
    return or_(
        and_(PlatformRun.status == RunStatus.QUEUED, PlatformRun.next_attempt_at <= func.now()),
        and_(PlatformRun.status == RunStatus.RUNNING, PlatformRun.lease_until < func.now()),
    )


def _leased(run: PlatformRun, now: datetime) -> LeasedRun:
    return LeasedRun(
        run_id=run.id,
        stack=run.stack,
        action=run.action,
        spec=run.spec,
        refreshes=run.refreshes,
        fence=run.fence,
        attempt=run.attempts,
        previous_engine=run.engine,
        is_overdue=run.deadline_at <= now,
        seconds_left=(run.deadline_at - now).total_seconds(),
    )
