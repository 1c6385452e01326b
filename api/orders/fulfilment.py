"""What happens to an order once money has moved: exactly once, whatever order the news comes in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, changed, record
from api.billing.gateway import CheckoutSession
from api.billing.models import EntryKind, LedgerEntry, Refund
from api.errors import NotFound
from api.operations.cause import Cause
from api.operations.models import Operation, OperationKind
from api.operations.scheduling import schedule
from api.orders.models import Order, OrderStatus
from api.orders.release import release_reservations
from api.orders.transitions import check_move
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import WorkloadService, mark_deleted, move


def lock_order(session: Session, order_id: UUID) -> Order:
    """Return an order, locked until the transaction ends.

    Raises:
        NotFound: if there is none.
    """
    order = session.scalars(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise NotFound("there is no such order")
    return order


class Fulfilment:
    """Applies payments, expiries, deliveries and refunds to orders the caller has locked with ``lock_order``."""

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        self._session = session
        self._deadline_seconds = deadline_seconds

    def payment(self, order: Order, checkout: CheckoutSession) -> Operation | None:
        """Book a payment once and start delivery; returns the operation to run, if there is one.

        A payment of another amount, or one that comes after the order has expired, is booked and paid back.
        """
        reference = checkout.payment_reference or checkout.id
        if not self._book(order, EntryKind.PAYMENT, checkout.amount_cents, checkout.currency, reference):
            return None
        if order.status is OrderStatus.EXPIRED:
            self._owe(order, reference, checkout.amount_cents, "the payment came after the order had expired")
            return None
        if (checkout.amount_cents, checkout.currency) != (order.price_cents, order.currency):
            self._owe(order, reference, checkout.amount_cents, "the amount paid is not the price of the order")
            self._let_go(self.workload(order), "paid amount differs from the price")
            return None
        self._move(order, OrderStatus.PAID, "paid", order.owner_id)
        order.paid_at = self._now()
        workload = self.workload(order)
        move(self._session, workload, WorkloadStatus.QUEUED, "paid", order.owner_id)
        cause = Cause("the order was paid", by=order.owner_id)
        return schedule(self._session, workload, OperationKind.APPLY, self._deadline_seconds, cause)

    def expiry(self, order: Order) -> None:
        """Let an unpaid order go, and everything held for it; nothing of it exists outside our tables."""
        if order.status is not OrderStatus.PENDING_PAYMENT:
            return
        self._move(order, OrderStatus.EXPIRED, "not paid in time")
        order.closed_reason = "not paid in time"
        self._let_go(self.workload(order), "not paid in time")

    def delivery(self, order: Order) -> None:
        """Mark a paid order delivered; repeating it is harmless."""
        if order.status is OrderStatus.PAID:
            self._move(order, OrderStatus.DELIVERED, "delivered, and verified where it is")
            order.delivered_at = self._now()

    def failure(self, order: Order, reason: str) -> Operation | None:
        """Give up on delivering a paid order: the money goes back, and what was made is taken away."""
        if order.status is not OrderStatus.PAID:
            return None
        payment = self._session.scalars(
            select(LedgerEntry).where(LedgerEntry.order_id == order.id, LedgerEntry.kind == EntryKind.PAYMENT)
        ).one()
        self._owe(order, payment.provider_reference, payment.amount_cents, reason)
        return self._take_away(order, Cause(reason, has_consent=True))

    def cancel(self, order: Order, reason: str, by: UUID | None = None) -> Operation | None:
        """Take a workload away because its owner says so; what was paid but never delivered goes back.

        Raises:
            Conflict: if the order is not paid yet.
        """
        if order.status is OrderStatus.PAID:
            return self.failure(order, reason)
        cause = Cause(reason, by=by, has_consent=True)
        return WorkloadService(self._session, self._deadline_seconds).cancel(self.workload(order), cause)

    def refunded(self, order: Order, provider_reference: str, amount_cents: int) -> Operation | None:
        """Book money that went back, whoever started it; a delivered workload is taken away."""
        self._book(order, EntryKind.REFUND, -amount_cents, order.currency, provider_reference)
        self._session.execute(
            insert(Refund)
            .values(
                order_id=order.id,
                payment_reference=provider_reference,
                amount_cents=amount_cents,
                reason="refunded at Stripe",
                done_at=func.now(),
            )
            .on_conflict_do_update(index_elements=["order_id"], set_={"done_at": func.now()})
        )
        if order.status is OrderStatus.REFUNDED:
            return None
        if order.status is not OrderStatus.REFUND_DUE:
            order.closed_reason = "refunded"
        self._move(order, OrderStatus.REFUNDED, order.closed_reason or "refunded")
        return self._take_away(order, Cause("refunded", has_consent=True))

    def workload(self, order: Order) -> Workload:
        """Return the order's workload, locked."""
        return self._session.scalars(
            select(Workload)
            .where(Workload.order_id == order.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()

    def _take_away(self, order: Order, cause: Cause) -> Operation | None:
        """Remove what an order brought. Money that went back ends the contract, and with it the claim to the data."""
        workload = self.workload(order)
        if workload.status is WorkloadStatus.PENDING_PAYMENT:
            self._let_go(workload, cause.reason)
            return None
        return WorkloadService(self._session, self._deadline_seconds).cancel(workload, cause)

    def _let_go(self, workload: Workload, reason: str) -> None:
        """Close a workload that never got as far as an engine: nothing of it needs a rest or a proof."""
        if workload.status is WorkloadStatus.PENDING_PAYMENT:
            release_reservations(self._session, workload.id, timedelta(0))
            mark_deleted(self._session, workload, reason)

    def _owe(self, order: Order, payment_reference: str, amount_cents: int, reason: str) -> None:
        self._move(order, OrderStatus.REFUND_DUE, reason)
        order.closed_reason = reason
        self._session.execute(
            insert(Refund)
            .values(order_id=order.id, payment_reference=payment_reference, amount_cents=amount_cents, reason=reason)
            .on_conflict_do_nothing()
        )

    def _book(self, order: Order, kind: EntryKind, amount_cents: int, currency: str, reference: str) -> bool:
        statement = (
            insert(LedgerEntry)
            .values(
                id=uuid7(),
                order_id=order.id,
                kind=kind,
                amount_cents=amount_cents,
                currency=currency,
                provider_reference=reference,
            )
            .on_conflict_do_nothing()
            .returning(LedgerEntry.id)
        )
        if self._session.execute(statement).one_or_none() is None:
            return False
        diff = {"amount_cents": amount_cents, "currency": currency, "reference": reference}
        self._record(order, f"ledger.{kind}", f"a {kind} was booked", diff)
        return True

    def _move(self, order: Order, status: OrderStatus, reason: str, by: UUID | None = None) -> None:
        check_move(order.status, status)
        diff = changed(status=(order.status, status))
        order.status = status
        self._session.flush()
        self._record(order, "order.status", reason, diff, by)

    def _record(self, order: Order, action: str, reason: str, diff: Mapping[str, Any], by: UUID | None = None) -> None:
        entry = AuditEntry(
            action=action, actor=Actor.by(by), subject_type="order", subject_id=order.id, reason=reason, diff=diff
        )
        record(self._session, entry)

    def _now(self) -> datetime:
        return self._session.execute(select(func.now())).scalar_one()
