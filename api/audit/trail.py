"""The audit trail's writer: entries wait in the session and become records just before it commits.

The chain's lock, one row, is the last that a transaction takes: it is held for one statement and the commit, and can
be part of no deadlock. What is rolled back, a savepoint included, is never recorded; what commits always is.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from api.audit.chain import FIELDS, document, seal
from api.audit.cleaning import clean_document, clean_text
from api.audit.entries import (
    CUSTOMER_NAME,
    OPERATOR_SHELL,
    SYSTEM,
    Actor,
    AuditEntry,
    changed,
    differences,
    differences_of_things,
)
from api.audit.errors import TrailUnusable
from api.audit.models import ActorKind, AuditHead, AuditRecord

__all__ = [
    "OPERATOR_SHELL",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "AuditEntry",
    "attach",
    "changed",
    "differences",
    "differences_of_things",
    "record",
]

_ATTACHED, _BUFFER = "audit_attached", "audit_buffer"
_COLUMNS = (*FIELDS, "hash")
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
_TYPES = ", ".join(f"{name} {AuditRecord.__table__.c[name].type.compile(_DIALECT)}" for name in _COLUMNS)

_LOCK = text(
    f"""
    SELECT head.seq, head.hash, clock_timestamp() AS at, (
        SELECT jsonb_object_agg(users.id, CASE WHEN users.role = 'customer' THEN '{CUSTOMER_NAME}' ELSE users.email END)
        FROM users WHERE users.id = ANY(:people)
    ) AS names
    FROM {AuditHead.__tablename__} AS head WHERE head.id = 1 FOR UPDATE OF head
    """  # noqa: S608 - made of our own names only
)
_APPEND = text(
    f"""
    WITH added AS (
        INSERT INTO {AuditRecord.__tablename__} ({", ".join(_COLUMNS)})
        SELECT {", ".join(_COLUMNS)} FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record({_TYPES})
    )
    UPDATE {AuditHead.__tablename__} SET seq = :seq, hash = :hash WHERE id = 1
    """  # noqa: S608 - the same
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry, and the savepoints that it would be undone with."""

    entry: AuditEntry
    savepoints: tuple[SessionTransaction, ...]


def record(session: Session, entry: AuditEntry) -> None:
    """Have a change of state recorded, if and when the session's transaction commits; does no I/O.

    Raises:
        RuntimeError: if the session was not made by ``api.db.session.Database``: nobody would write the record.
    """
    if _ATTACHED not in session.info:
        raise RuntimeError("this session writes no audit trail: open it with api.db.session.Database.transaction")
    session.info.setdefault(_BUFFER, []).append(_Waiting(entry, _savepoints(session)))


def attach(sessions: sessionmaker[Session]) -> None:
    """Have all sessions of a factory write the trail."""
    sessions.configure(info={_ATTACHED: True})
    event.listen(sessions, "before_commit", _write)
    event.listen(sessions, "after_soft_rollback", _forget)


def _write(session: Session) -> None:
    """Append what waits to the chain; called for savepoints too, which are not the end."""
    if session.in_nested_transaction() or not session.info.get(_BUFFER):
        return
    session.flush()  # what fails or waits shall do so before the chain is locked
    waiting: list[_Waiting] = session.info.pop(_BUFFER)
    people = {entry.actor.user_id for entry in (one.entry for one in waiting) if entry.actor.name is None}
    head = session.execute(_LOCK, {"people": list(people)}).one_or_none()
    if head is None:
        raise TrailUnusable("the audit trail has no head: nothing can be changed until it is restored")
    records, seq, last = [], head.seq, head.hash
    for one in waiting:
        seq += 1
        made = _record(one.entry, head.names or {}) | {"seq": seq, "at": head.at, "prev_hash": last}
        last = seal(made)
        records.append({**document(made), "hash": last})
    session.execute(_APPEND, {"records": json.dumps(records), "seq": seq, "hash": last})


def _forget(session: Session, ended: SessionTransaction) -> None:
    """Drop what was recorded in a transaction or savepoint that was rolled back."""
    waiting: list[_Waiting] = session.info.get(_BUFFER, [])
    if ended.nested:
        session.info[_BUFFER] = [one for one in waiting if ended not in one.savepoints]
    elif ended.parent is None:
        session.info.pop(_BUFFER, None)


def _savepoints(session: Session) -> tuple[SessionTransaction, ...]:
    """Return the savepoints that the session is within, the innermost first."""
    found, at = [], session.get_nested_transaction()
    while at is not None:
        if at.nested:
            found.append(at)
        at = at.parent
    return tuple(found)


def _record(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    """Return an entry's columns, fit to be kept."""
    actor = entry.actor
    name = names.get(str(actor.user_id), "unknown") if actor.name is None else actor.name
    return {
        "actor_kind": actor.kind,
        "actor_id": actor.user_id,
        "actor_name": clean_text(name),
        "action": entry.action,
        "subject_type": entry.subject_type,
        "subject_id": str(entry.subject_id),
        "reason": clean_text(entry.reason),
        "plan_id": entry.plan_id,
        "diff": None if entry.diff is None else clean_document(entry.diff),
        "cost_before_cents": entry.cost_before_cents,
        "cost_after_cents": entry.cost_after_cents,
        "duration_seconds": None if entry.duration_seconds is None else round(float(entry.duration_seconds), 3),
        "result": entry.result,
    }
