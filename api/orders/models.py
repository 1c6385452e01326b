"""Orders, and the idempotency keys that make placing one safe to repeat."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.db.base import Base, Id, Timestamped, text_enum

if TYPE_CHECKING:
    from api.billing.models import Checkout
    from api.workloads.models import Workload


class OrderStatus(StrEnum):
    """An order's life; see ``api.orders.transitions`` for the legal moves."""

    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


class Order(Base, Timestamped):
    """What a customer asked for, at the price that stood then."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("price_cents > 0", name="price_positive"),
        Index("ix_orders_owner_page", "owner_id", "id"),
        Index("ix_orders_status", "status", "created_at"),
    )

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    status: Mapped[OrderStatus] = mapped_column(text_enum(OrderStatus), default=OrderStatus.PENDING_PAYMENT)
    size_id: Mapped[UUID] = mapped_column(ForeignKey("sizes.id"))
    template_version_id: Mapped[UUID] = mapped_column(ForeignKey("template_versions.id"))
    description: Mapped[str]
    price_cents: Mapped[int]
    currency: Mapped[str]
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None]

    workload: Mapped["Workload"] = relationship(lazy="raise", viewonly=True)
    checkout: Mapped["Checkout"] = relationship(lazy="raise", viewonly=True)


class IdempotencyKey(Base, Timestamped):
    """A customer's key and the request it was first used with; later uses get the same order."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("owner_id", "key"),)

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str]
    request_hash: Mapped[bytes]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
