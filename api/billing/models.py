"""Stripe's events as received, checkouts, the append-only ledger, and refunds."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum


class StripeEvent(Base):
    """An event exactly as Stripe signed it; its id is the primary key, so it is stored once."""

    __tablename__ = "stripe_events"
    __table_args__ = (Index("ix_stripe_events_due", "received_at", postgresql_where=text("processed_at IS NULL")),)

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    livemode: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    processed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    traceparent: Mapped[str | None]


class Checkout(Base, Timestamped):
    """The Stripe Checkout Session of an order; without ``session_id`` it still has to be created at Stripe."""

    __tablename__ = "checkouts"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    session_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    expires_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]


class EntryKind(StrEnum):
    """What a ledger entry records."""

    PAYMENT = "payment"
    REFUND = "refund"


class LedgerEntry(Base, Timestamped):
    """Money that moved, in cents, positive towards us. Rows are only ever added (a trigger refuses the rest)."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("order_id", "kind"),
        UniqueConstraint("provider_reference", "kind", name="uq_ledger_entries_provider"),
        CheckConstraint("(kind = 'payment') = (amount_cents > 0)", name="sign_matches_kind"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[EntryKind] = mapped_column(text_enum(EntryKind))
    amount_cents: Mapped[int]
    currency: Mapped[str]
    provider_reference: Mapped[str]


class Refund(Base, Timestamped):
    """A refund that is owed; done once Stripe has answered with its id."""

    __tablename__ = "refunds"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    payment_reference: Mapped[str]
    amount_cents: Mapped[int]
    reason: Mapped[str]
    provider_refund_id: Mapped[str | None] = mapped_column(unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    done_at: Mapped[datetime | None]
