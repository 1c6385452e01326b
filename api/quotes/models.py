"""Tables of quotes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum

QUOTES_STACK = "quotes"
"""The one stack that all quotes are previewed on: always empty, and never removed."""


class QuoteStatus(StrEnum):
    """How far a quote's plan is; the price is there at once."""

    PLANNING = "planning"
    READY = "ready"
    FAILED = "failed"


class Quote(Base, Timestamped):
    """What an order would cost and make. Reserves nothing.

    Attributes:
        request: the order that was asked about.
        node_id: where it would be placed; None if there is no room, and for a machine of its own.
        spec: what the engine previews: addresses and VMID were looked at and not taken, so an order may get others.
        place: the node or machine in words.
        summary: the plan in words, once it is ready.
        steps: the plan itself; see ``api.plans.document.PlanDocument``.
        error: why there is no plan, in a sentence.
        claimed_until: until then a worker is at it; ``attempts`` counts them.
    """

    __tablename__ = "quotes"
    __table_args__ = (
        Index("ix_quotes_planning", "owner_id", "id", postgresql_where=text("status = 'planning'")),
        Index("ix_quotes_expiry", "expires_at"),
    )

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    request: Mapped[dict[str, Any]]
    description: Mapped[str]
    includes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    price_cents: Mapped[int]
    currency: Mapped[str]
    status: Mapped[QuoteStatus] = mapped_column(text_enum(QuoteStatus), default=QuoteStatus.PLANNING)
    node_id: Mapped[UUID | None] = mapped_column(ForeignKey("nodes.id"))
    spec: Mapped[dict[str, Any] | None]
    place: Mapped[str] = mapped_column(default="")
    summary: Mapped[str | None]
    steps: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    @property
    def is_available(self) -> bool:
        """Whether there was room for it."""
        return self.spec is not None
