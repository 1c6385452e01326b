"""Works out what Stripe's events mean. Opens its own transactions: Stripe is asked between two of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.billing.gateway import SHORTEST_CHECKOUT, CheckoutSession, CheckoutState, PaymentGateway, order_id_in
from api.billing.inbox import CHECKOUT_EVENTS, REFUND_EVENT
from api.billing.models import Checkout, EntryKind, LedgerEntry, Refund, StripeEvent
from api.db.session import Database, Transaction
from api.errors import NotFound
from api.jobs import Job, JobQueue
from api.operations.models import Operation
from api.orders.fulfilment import Fulfilment, lock_order
from api.orders.models import Order, OrderStatus
from api.tracing import span

_LOG = structlog.get_logger(__name__)
_MOST_ATTEMPTS = 1000
_LONGEST_BACKOFF_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class BillingService:
    """Applies events, finds payments whose webhook never came, pays refunds."""

    database: Database
    payments: PaymentGateway
    jobs: JobQueue
    deadline_seconds: float

    def apply_event(self, event_id: str) -> str | None:
        """Apply a stored event once; returns its outcome, or None if it is done already or unknown.

        Raises:
            PaymentsUnavailable: if Stripe must be asked and does not answer; the event stays due.
        """
        with self.database.transaction() as transaction:
            event = transaction.session.get(StripeEvent, event_id)
            if event is None or event.processed_at is not None:
                return None
            event.attempts += 1
            kind, payload, parent = event.type, event.payload, event.traceparent
        with span("billing.apply_event", {"stripe.event": event_id, "stripe.type": kind}, parent=parent):
            return self._apply(event_id, kind, payload, event.attempts)

    def _apply(self, event_id: str, kind: str, payload: dict[str, Any], attempts: int) -> str | None:
        subject = _subject(payload)
        outcome = self._interpret(kind, subject, attempts)
        if outcome is None:
            return None
        with self.database.transaction() as transaction:
            transaction.session.execute(
                update(StripeEvent)
                .where(StripeEvent.id == event_id, StripeEvent.processed_at.is_(None))
                .values(processed_at=func.now(), outcome=outcome)
            )
        _LOG.info("stripe_event_applied", stripe_event=event_id, type=kind, outcome=outcome)
        return outcome

    def check_order(self, order_id: UUID) -> str:
        """Ask Stripe how an unpaid order stands and act on the answer; returns the outcome.

        Raises:
            PaymentsUnavailable: if Stripe does not answer.
        """
        with self.database.transaction() as transaction:
            checkout = transaction.session.get(Checkout, order_id)
            session_id = None if checkout is None else checkout.session_id
        if session_id is not None:
            try:
                return self._apply_checkout(self.payments.get_checkout(session_id))
            except NotFound:
                _LOG.error("checkout_unknown_at_stripe", order=str(order_id), checkout=session_id)
                return "unknown at Stripe: is this the account that the order was placed with?"
        with self.database.transaction() as transaction:
            order = lock_order(transaction.session, order_id)
            checkout = _lock_checkout(transaction.session, order_id)
            too_late = checkout.expires_at - SHORTEST_CHECKOUT <= _now(transaction.session)
            if checkout.session_id is None and too_late:
                Fulfilment(transaction.session, self.deadline_seconds).expiry(order)
                return "expired: its payment page was never made"
        return "open"

    def unpaid_orders(self, minimum_age: timedelta, limit: int = 100) -> list[UUID]:
        """Return orders that wait for payment and have not been checked at Stripe for ``minimum_age``.

        The rows are marked as checked, so that several workers share the work.
        """
        with self.database.transaction() as transaction:
            session = transaction.session
            due = (
                select(Checkout.order_id)
                .join(Order, Order.id == Checkout.order_id)
                .where(
                    Order.status == OrderStatus.PENDING_PAYMENT,
                    func.coalesce(Checkout.checked_at, Checkout.created_at) <= func.now() - minimum_age,
                )
                .order_by(Checkout.created_at)
                .limit(limit)
                .with_for_update(of=Checkout, skip_locked=True)
            )
            order_ids = list(session.scalars(due))
            session.execute(update(Checkout).where(Checkout.order_id.in_(order_ids)).values(checked_at=func.now()))
            return order_ids

    def due_events(self, minimum_age: timedelta, limit: int = 100) -> list[str]:
        """Return stored events that nobody has applied yet; those that could not be applied hold up no others."""
        with self.database.transaction() as transaction:
            return list(
                transaction.session.scalars(
                    select(StripeEvent.id)
                    .where(StripeEvent.processed_at.is_(None), StripeEvent.received_at <= func.now() - minimum_age)
                    .order_by(StripeEvent.attempts, StripeEvent.received_at)
                    .limit(limit)
                )
            )

    def pay_refunds(self, limit: int = 20) -> int:
        """Pay what is owed back; returns how many refunds were made. Stripe's failures are tried again later."""
        paid = 0
        for refund in self._due_refunds(limit):
            try:
                reference = self.payments.refund(refund.order_id, refund.payment_reference, refund.amount_cents)
            except Exception as error:  # noqa: BLE001 - one refund that fails must not hold up the others
                _LOG.warning("refund_failed", order_id=str(refund.order_id), error=type(error).__name__)
                continue
            with self.database.transaction() as transaction:
                order = lock_order(transaction.session, refund.order_id)
                row = transaction.session.get_one(Refund, refund.order_id, with_for_update=True)
                row.provider_refund_id = reference
                operation = Fulfilment(transaction.session, self.deadline_seconds).refunded(
                    order, reference, refund.amount_cents
                )
                self._run_after_commit(transaction, operation)
            paid += 1
        return paid

    def _due_refunds(self, limit: int) -> list[Refund]:
        with self.database.transaction() as transaction:
            session = transaction.session
            rows = list(
                session.scalars(
                    select(Refund)
                    .where(Refund.done_at.is_(None), Refund.next_attempt_at <= func.now())
                    .order_by(Refund.next_attempt_at)
                    .limit(limit)
                    .with_for_update(skip_locked=True)
                )
            )
            for row in rows:
                backoff = min(_LONGEST_BACKOFF_SECONDS, 15 * 2**row.attempts)
                row.attempts += 1
                row.next_attempt_at = _now(session) + timedelta(seconds=backoff)
            return rows

    def _interpret(self, kind: str, subject: Mapping[str, Any], attempts: int) -> str | None:
        if kind in CHECKOUT_EVENTS:
            return self._checkout_event(subject)
        if kind == REFUND_EVENT:
            return self._refund_event(subject, attempts)
        return "ignored: not an event we act on"

    def _checkout_event(self, subject: Mapping[str, Any]) -> str:
        """Fetch the session: events come late, twice and in any order, the session itself is always current."""
        session_id = subject.get("id")
        if not isinstance(session_id, str):
            return "ignored: the event names no checkout session"
        try:
            return self._apply_checkout(self.payments.get_checkout(session_id))
        except NotFound:
            return "ignored: Stripe knows no such checkout session"

    def _apply_checkout(self, checkout: CheckoutSession) -> str:
        if checkout.order_id is None:
            return "ignored: not a checkout of ours"
        with self.database.transaction() as transaction:
            session = transaction.session
            if session.get(Order, checkout.order_id) is None:
                return "ignored: no such order"
            order = lock_order(session, checkout.order_id)
            row = _lock_checkout(session, order.id)
            if row.session_id not in {None, checkout.id}:
                return "ignored: not the payment page of this order"
            # A webhook can be here before the answer to our own request for the page, or that answer was lost.
            row.session_id, row.url = checkout.id, row.url or checkout.url
            fulfilment = Fulfilment(session, self.deadline_seconds)
            if checkout.state is CheckoutState.EXPIRED:
                fulfilment.expiry(order)
                return "expired"
            if checkout.state is CheckoutState.OPEN:
                return "open"
            self._run_after_commit(transaction, fulfilment.payment(order, checkout))
            if order.status is OrderStatus.REFUND_DUE:
                transaction.after_commit(lambda: self.jobs.enqueue(Job.PAY_REFUNDS))
            return f"paid: the order is {order.status}"

    def _refund_event(self, charge: Mapping[str, Any], attempts: int) -> str | None:
        """Book a full refund made at Stripe; None means "not yet": its payment's own event is still to come."""
        payment_reference, amount = charge.get("payment_intent"), charge.get("amount_refunded")
        if not isinstance(payment_reference, str) or not isinstance(amount, int):
            return "ignored: the event names no payment"
        if not charge.get("refunded"):
            return "ignored: a partial refund changes nothing about the order"
        order_id = self._order_of_payment(payment_reference)
        if order_id is None:
            if not self._catch_up(charge):
                return "ignored: no payment of ours"
            order_id = self._order_of_payment(payment_reference)
        if order_id is None:
            return None if attempts < _MOST_ATTEMPTS else "ignored: its payment never came"
        with self.database.transaction() as transaction:
            session = transaction.session
            order = lock_order(session, order_id)
            operation = Fulfilment(session, self.deadline_seconds).refunded(order, payment_reference, amount)
            self._run_after_commit(transaction, operation)
            return "refunded"

    def _order_of_payment(self, payment_reference: str) -> UUID | None:
        with self.database.transaction() as transaction:
            return transaction.session.scalars(
                select(LedgerEntry.order_id).where(
                    LedgerEntry.provider_reference == payment_reference, LedgerEntry.kind == EntryKind.PAYMENT
                )
            ).one_or_none()

    def _catch_up(self, charge: Mapping[str, Any]) -> bool:
        """Book the payment first where its refund's event came before its own; False if it is for no order of ours.

        Stripe copies the metadata that we give the payment to its charge.
        """
        metadata = charge.get("metadata")
        order_id = order_id_in(metadata.get("order_id")) if isinstance(metadata, dict) else None
        if order_id is None:
            return False
        with self.database.transaction() as transaction:
            checkout = transaction.session.get(Checkout, order_id)
        if checkout is None:
            return False
        self.check_order(order_id)
        return True

    def _run_after_commit(self, transaction: Transaction, operation: Operation | None) -> None:
        if operation is not None:
            operation_id = operation.id
            transaction.after_commit(lambda: self.jobs.enqueue(Job.RUN_OPERATION, operation_id))


def _subject(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    data = payload.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    return subject if isinstance(subject, dict) else {}


def _lock_checkout(session: Session, order_id: UUID) -> Checkout:
    return session.get_one(Checkout, order_id, with_for_update=True, populate_existing=True)


def _now(session: Session) -> datetime:
    return session.execute(select(func.now())).scalar_one()
