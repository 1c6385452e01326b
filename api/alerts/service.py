"""Raises, resolves and acknowledges alerts, in the caller's transaction."""

from uuid import UUID

import structlog
from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.alerts.models import Alert, AlertKind
from api.audit.trail import Actor, AuditEntry, record
from api.auth.caller import Principal
from api.errors import Conflict, NotFound

_LOG = structlog.get_logger(__name__)


def raise_alert(session: Session, kind: AlertKind, subject_type: str, subject_id: UUID | str, message: str) -> None:
    """Open an alert, or refresh the one that is open for the same kind and subject.

    Another message takes an acknowledgement back: it is news. Only the first is logged, as an error, so that whoever
    watches the logs is woken once.
    """
    is_known = Alert.message == message
    opened = insert(Alert).values(
        id=uuid7(), kind=kind, subject_type=subject_type, subject_id=str(subject_id), message=message, sightings=1
    )
    statement = opened.on_conflict_do_update(
        index_elements=["kind", "subject_type", "subject_id"],
        index_where=Alert.resolved_at.is_(None),
        set_={
            "message": message,
            "sightings": Alert.sightings + 1,
            "seen_at": func.now(),
            "acknowledged_at": case((is_known, Alert.acknowledged_at)),
            "acknowledged_by": case((is_known, Alert.acknowledged_by)),
        },
    ).returning(Alert.sightings)
    if session.execute(statement).scalar_one() == 1:
        _LOG.error("alert", kind=kind.value, subject_type=subject_type, subject_id=str(subject_id), message=message)


def resolve(session: Session, kind: AlertKind, subject_id: UUID | str) -> bool:
    """Close the open alert of this kind about this thing; True if there was one."""
    statement = (
        update(Alert)
        .where(Alert.kind == kind, Alert.subject_id == str(subject_id), Alert.resolved_at.is_(None))
        .values(resolved_at=func.now())
        .returning(Alert.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).first() is not None


def acknowledge(session: Session, alert_id: UUID, person: Principal) -> Alert:
    """Say that somebody is at it; who said so first stays.

    Raises:
        NotFound: if there is no such alert.
        Conflict: if it is resolved.
    """
    alert = session.scalars(
        select(Alert).where(Alert.id == alert_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if alert is None:
        raise NotFound("there is no such alert")
    if alert.resolved_at is not None:
        raise Conflict("this alert is resolved: there is nothing left to look at")
    if alert.acknowledged_at is None:
        alert.acknowledged_at = session.execute(select(func.now())).scalar_one()
        alert.acknowledged_by = person.user_id
        session.flush()
        record(
            session,
            AuditEntry(
                action="alert.acknowledge",
                actor=Actor.of(person),
                subject_type=alert.subject_type,
                subject_id=alert.subject_id,
                reason=f"{alert.kind.value}: {alert.message}",
            ),
        )
    return alert
