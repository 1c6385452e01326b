"""Tables of alerts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped

_OPEN = text("resolved_at IS NULL")


class AlertKind(StrEnum):
    """What it is about. The table takes any text, so that a new kind needs no migration."""

    NEEDS_ATTENTION = "needs_attention"
    ENGINE_UNRESOLVED = "engine_unresolved"
    STATE_CORRUPT = "state_corrupt"
    DRIFT = "drift"
    ORPHAN = "orphan"
    NODE_UNREACHABLE = "node_unreachable"
    BACKUP_MISSING = "backup_missing"
    AUDIT_BROKEN = "audit_broken"
    MACHINE_QUARANTINED = "machine_quarantined"
    UNKNOWN_BOOT = "unknown_boot"
    """A machine that nobody told us of, or that has no business to, asked for a boot script."""
    TOKEN_MISUSED = "token_misused"  # noqa: S105 - a kind of alert
    """A boot token was shown twice, or by a machine that it is not for."""
    MONITORING = "monitoring"
    """Alertmanager says so. No alert rule may look at these, or an alert would keep itself alive."""


class Alert(Base, Timestamped):
    """Something that a person has to look at; of one kind and subject, at most one is open.

    Open until ``resolved_at``; ``acknowledged_at`` says that somebody is at it. ``sightings`` counts how often it was
    raised, last at ``seen_at``.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "kind",
            "subject_type",
            "subject_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alerts_open_page", "id", postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[Id]
    kind: Mapped[AlertKind] = mapped_column(
        Enum(AlertKind, native_enum=False, length=40, values_callable=lambda kinds: [kind.value for kind in kinds])
    )
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    message: Mapped[str]
    sightings: Mapped[int] = mapped_column(default=1)
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]
