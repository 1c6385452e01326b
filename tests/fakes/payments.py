"""A payment provider in memory, with the switches that tests need."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from uuid import UUID

from api.billing.gateway import CheckoutRequest, CheckoutSession, CheckoutState
from api.errors import NotFound, PaymentsUnavailable


class FakePayments:
    """Implements ``api.billing.gateway.PaymentGateway``; safe to be called from several threads.

    Attributes:
        is_reachable: while False, every call raises ``PaymentsUnavailable``, as the real gateway does.
        refunds: what was paid back, in cents by order.
    """

    def __init__(self) -> None:
        self.is_reachable = True
        self.requests: list[CheckoutRequest] = []
        self.refunds: dict[UUID, int] = {}
        self._checkouts: dict[UUID, CheckoutSession] = {}
        self._refused: set[UUID] = set()
        self._lock = Lock()

    def create_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        """Create the payment page of an order; asking again for the same order returns the same page."""
        self._reach()
        with self._lock:
            self.requests.append(request)
            identifier = f"cs_test_{request.order_id.hex}"
            return self._checkouts.setdefault(
                request.order_id,
                CheckoutSession(
                    id=identifier,
                    order_id=request.order_id,
                    state=CheckoutState.OPEN,
                    url=f"https://checkout.example.com/{identifier}",
                    amount_cents=request.amount_cents,
                    currency=request.currency,
                    payment_reference=None,
                ),
            )

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Fetch a checkout.

        Raises:
            NotFound: if there is no such checkout.
        """
        self._reach()
        with self._lock:
            for found in self._checkouts.values():
                if found.id == session_id:
                    return found
        raise NotFound("the payment service knows no such checkout session")

    def refund(self, order_id: UUID, payment_reference: str, amount_cents: int) -> str:
        """Pay back, once for an order however often it is asked; returns the refund's id."""
        self._reach()
        if order_id in self._refused:
            raise ValueError("the provider refuses this refund")
        with self._lock:
            self.refunds.setdefault(order_id, amount_cents)
            return f"re_{payment_reference}"

    def pay(self, order_id: UUID, *, amount_cents: int | None = None, currency: str | None = None) -> CheckoutSession:
        """Let the customer pay an order's page; another amount or currency is what no customer could bring about."""

        def paid(found: CheckoutSession) -> CheckoutSession:
            return replace(
                found,
                state=CheckoutState.PAID,
                payment_reference=f"pi_{order_id.hex}",
                url=None,
                amount_cents=found.amount_cents if amount_cents is None else amount_cents,
                currency=currency or found.currency,
            )

        return self._change(order_id, paid)

    def expire(self, order_id: UUID) -> CheckoutSession:
        """Close an order's page unpaid."""
        return self._change(order_id, lambda found: replace(found, state=CheckoutState.EXPIRED, url=None))

    def refuse_refund_of(self, order_id: UUID) -> None:
        """Let refunds of an order fail, as the real SDK does with errors that are not "unreachable"."""
        self._refused.add(order_id)

    def _change(self, order_id: UUID, change: Callable[[CheckoutSession], CheckoutSession]) -> CheckoutSession:
        with self._lock:
            self._checkouts[order_id] = change(self._checkouts[order_id])
            return self._checkouts[order_id]

    def _reach(self) -> None:
        if not self.is_reachable:
            raise PaymentsUnavailable("the payment service cannot be reached: nothing was charged, try again")
