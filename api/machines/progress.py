"""How far a deployment is and what it has cost, read off its log."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.machines.models import ConsoleChunk, Deployment, DeploymentEvent, Machine
from components.specs.machine import DeploymentPhase


def phase_seconds(session: Session, deployment: Deployment) -> dict[str, float]:
    """Return how long each phase of a deployment took, in seconds; of the last one, until its end or until now."""
    query = select(DeploymentEvent.phase, DeploymentEvent.at).where(
        DeploymentEvent.deployment_id == deployment.id, DeploymentEvent.phase.is_not(None)
    )
    told = [(phase, at) for phase, at in session.execute(query.order_by(DeploymentEvent.id)) if phase is not None]
    end = deployment.finished_at or session.execute(select(func.now())).scalar_one()
    return spans(told, end)


def spans(told: Sequence[tuple[DeploymentPhase, datetime]], end: datetime) -> dict[str, float]:
    """Return the seconds of each phase, from when it was told to the next; one that comes again is added up."""
    found: dict[str, float] = {}
    closed: list[tuple[DeploymentPhase | None, datetime]] = [*told, (None, end)]
    for (phase, begun), (_, over) in pairwise(closed):
        if phase is not None and phase is not DeploymentPhase.DONE:
            found[phase.value] = round(found.get(phase.value, 0.0) + (over - begun).total_seconds(), 3)
    return found


def silent_seconds(session: Session, deployment: Deployment) -> float | None:
    """Return for how long a machine that runs our initrd has said nothing, in seconds; None if nothing of ours runs."""
    if deployment.session_hash is None:
        return None
    query = select(func.now(), Machine.last_seen_at).where(Machine.id == deployment.machine_id)
    now, seen = session.execute(query).one()
    return None if seen is None else round((now - seen).total_seconds(), 3)


def events_after(session: Session, deployment_id: UUID, after: int, limit: int = 500) -> list[DeploymentEvent]:
    """Return the lines that follow line ``after`` (0 for the first) of a deployment's log, oldest first."""
    query = select(DeploymentEvent).where(DeploymentEvent.deployment_id == deployment_id, DeploymentEvent.id > after)
    return list(session.scalars(query.order_by(DeploymentEvent.id).limit(limit)))


def console_after(session: Session, deployment_id: UUID, after: int, limit: int = 200) -> list[ConsoleChunk]:
    """Return what a machine printed after piece ``after`` (0 for the first), oldest first."""
    query = select(ConsoleChunk).where(ConsoleChunk.deployment_id == deployment_id, ConsoleChunk.id > after)
    return list(session.scalars(query.order_by(ConsoleChunk.id).limit(limit)))


def newest_of(session: Session, machine_id: UUID) -> Deployment | None:
    """Return a machine's newest deployment; None if it never had any."""
    query = select(Deployment).where(Deployment.machine_id == machine_id).order_by(Deployment.id.desc()).limit(1)
    return session.scalars(query).one_or_none()
