"""What pages show of machines and deployments, read in a handful of statements; for staff and for customers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from api.auth.models import User
from api.db.session import Database
from api.machines.models import ConsoleChunk, Deployment, DeploymentEvent, DeploymentStatus
from api.operations.schemas import EventView
from api.operations.stream import LogPart
from api.web.console_text import readable, split_open_line
from api.web.track import Course, Track, track

_CHUNKS = 400
"""How much of a console is shown on a page; the newest."""

_LINES = 200
"""How much of a deployment's log is read: a machine that tells without end must not slow a page down."""


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A deployment as it is shown: with its phases, and who asked for it."""

    row: Deployment
    track: Track
    email: str | None
    told: Sequence[DeploymentEvent]

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.row.status is DeploymentStatus.OPEN


class Ended(BaseModel):
    """What a console's stream ends with."""

    status: DeploymentStatus


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """What was printed at one moment; may be several lines."""

    id: int
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ConsoleView:
    """A part of a console; ``last`` is the newest piece that is in it or held back because its line has no end yet."""

    lines: Sequence[ConsoleLine]
    last: int


def read_deployments(
    session: Session, *which: ColumnElement[bool], now: datetime, limit: int = 20
) -> list[DeploymentView]:
    """Return the newest deployments that fit, the newest first, in two statements."""
    rows = session.execute(
        select(Deployment, User.email.label("email"))
        .outerjoin(User, User.id == Deployment.requested_by)
        .where(*which)
        .order_by(Deployment.id.desc())
        .limit(limit)
    ).all()
    told: dict[UUID, list[DeploymentEvent]] = defaultdict(list)
    place = func.row_number().over(partition_by=DeploymentEvent.deployment_id, order_by=DeploymentEvent.id.desc())
    newest = (
        select(DeploymentEvent.id, place.label("place"))
        .where(DeploymentEvent.deployment_id.in_([row.Deployment.id for row in rows]))
        .subquery()
    )
    events = select(DeploymentEvent).join(newest, newest.c.id == DeploymentEvent.id).where(newest.c.place <= _LINES)
    for event in session.scalars(events.order_by(DeploymentEvent.id)):
        told[event.deployment_id].append(event)
    return [_view(row.Deployment, row.email, told[row.Deployment.id], now) for row in rows]


def shown(deployments: Sequence[DeploymentView]) -> DeploymentView | None:
    """Return the deployment that is under way, else the newest; None if there is none."""
    return next((one for one in deployments if one.is_open), deployments[0] if deployments else None)


def _view(row: Deployment, email: str | None, told: Sequence[DeploymentEvent], now: datetime) -> DeploymentView:
    course = Course(row.kind, row.status, row.created_at, row.finished_at)
    return DeploymentView(row, track(course, told, now), email, told)


def read_console(session: Session, deployment: Deployment | None) -> ConsoleView:
    """Return the newest part of what a machine printed during a deployment.

    Of one that is under way, a last line that has no end yet is left to the stream that follows.
    """
    if deployment is None:
        return ConsoleView((), 0)
    query = select(ConsoleChunk).where(ConsoleChunk.deployment_id == deployment.id)
    chunks = list(reversed(session.scalars(query.order_by(ConsoleChunk.id.desc()).limit(_CHUNKS)).all()))
    lines, rest = _whole_lines(chunks, "")
    if rest and deployment.status is not DeploymentStatus.OPEN:
        lines.append(ConsoleLine(chunks[-1].id, chunks[-1].at, readable(rest)))
    return ConsoleView(lines, chunks[-1].id if chunks else 0)


def _whole_lines(chunks: Sequence[ConsoleChunk], carried: str) -> tuple[list[ConsoleLine], str]:
    lines = []
    for chunk in chunks:
        whole, carried = split_open_line(carried + chunk.text)
        if whole:
            lines.append(ConsoleLine(chunk.id, chunk.at, readable(whole.removesuffix("\n"))))
    return lines, carried


class ConsoleReader:
    """Reads on in a console for one listener; keeps a line back until it has an end, or the deployment has."""

    def __init__(self, database: Database, deployment_id: UUID) -> None:
        self._database = database
        self._deployment_id = deployment_id
        self._carried: str | None = None
        self._seen = 0

    def __call__(self, after: int) -> LogPart:
        """Return what follows a piece; called in a thread."""
        with self._database.transaction() as transaction:
            session = transaction.session
            deployment = session.get_one(Deployment, self._deployment_id)
            is_active = deployment.status is DeploymentStatus.OPEN
            if self._carried is None:
                self._carried, self._seen = self._tail(session, after), after
            chunks = session.scalars(
                select(ConsoleChunk)
                .where(ConsoleChunk.deployment_id == self._deployment_id, ConsoleChunk.id > self._seen)
                .order_by(ConsoleChunk.id)
                .limit(_CHUNKS)
            ).all()
            lines, self._carried = _whole_lines(chunks, self._carried)
            self._seen = chunks[-1].id if chunks else self._seen
            if not is_active and not chunks and self._carried:
                now = session.execute(select(func.now())).scalar_one()
                lines, self._carried = [ConsoleLine(self._seen, now, readable(self._carried))], ""
            return LogPart(Ended(status=deployment.status), is_active, [_event(line) for line in lines])

    def _tail(self, session: Session, after: int) -> str:
        """Return what the piece ``after`` ended with and nobody was shown yet."""
        query = select(ConsoleChunk.text).where(
            ConsoleChunk.deployment_id == self._deployment_id, ConsoleChunk.id == after
        )
        return split_open_line(session.scalars(query).one_or_none() or "")[1]


def _event(line: ConsoleLine) -> EventView:
    return EventView(id=line.id, at=line.at, attempt=1, kind="console", message=line.text, data={})
