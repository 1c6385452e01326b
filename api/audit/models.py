"""Tables of the audit trail."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, text_enum


class ActorKind(StrEnum):
    """Who did it: a person, or the control plane by itself."""

    PERSON = "person"
    SYSTEM = "system"


class AuditRecord(Base):
    """One change of state, for ever: triggers refuse UPDATE, DELETE and TRUNCATE, and the application has no right to.

    ``seq`` has no gaps; ``hash`` is SHA-256 over the record's canonical JSON, in which ``prev_hash`` is the hash of the
    record before (``api.audit.chain``). Ids are not foreign keys: a record outlives what it speaks of. Amounts are
    cents a month.
    """

    __tablename__ = "audit_records"
    __table_args__ = (
        Index("ix_audit_records_subject", "subject_type", "subject_id", "seq"),
        Index("ix_audit_records_actor", "actor_id", "seq", postgresql_where=text("actor_id IS NOT NULL")),
        Index("ix_audit_records_at", "at"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(text_enum(ActorKind))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    reason: Mapped[str]
    plan_id: Mapped[UUID | None]
    diff: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cost_before_cents: Mapped[int | None]
    cost_after_cents: Mapped[int | None]
    duration_seconds: Mapped[float | None]
    result: Mapped[str | None]
    prev_hash: Mapped[str]
    hash: Mapped[str]


class AuditHead(Base):
    """The end of the chain, one row: whoever appends locks it, and a trail cut short no longer fits it."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]
