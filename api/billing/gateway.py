"""What we need of a payment provider. The one real implementation is ``api.billing.stripe_gateway``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

SHORTEST_CHECKOUT = timedelta(minutes=31)
"""How long before its end a payment page must be asked for.

Stripe refuses less than 30 minutes (docs.stripe.com/api/checkout/sessions/create, ``expires_at``); one more is for
clocks that differ.
"""


class CheckoutState(StrEnum):
    """How far a checkout is, by the provider's own word."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A page on which one order can be paid.

    Attributes:
        amount_cents: the whole price, in cents of ``currency``.
        expires_at: zone-aware; the provider closes the page then.
    """

    order_id: UUID
    customer_email: str
    description: str
    amount_cents: int
    currency: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A checkout as the provider knows it; ``payment_reference`` is set once it is paid."""

    id: str
    order_id: UUID | None
    state: CheckoutState
    url: str | None
    amount_cents: int
    currency: str
    payment_reference: str | None


def order_id_in(value: object) -> UUID | None:
    """Return the order's id that we gave the provider as metadata; None for anything that is no id of ours."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


class PaymentGateway(Protocol):
    """Talks to the payment provider; every call may block for seconds and belongs outside any transaction.

    Every method raises ``api.errors.PaymentsUnavailable`` when the provider cannot be reached.
    """

    def create_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        """Create the payment page of an order; asking again for the same order returns the same page."""

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Fetch a checkout; the provider's answer, not a webhook's body, is the truth about money.

        Raises:
            NotFound: if the provider knows no such session.
        """

    def refund(self, order_id: UUID, payment_reference: str, amount_cents: int) -> str:
        """Pay back, once for an order however often it is asked; returns the refund's id."""
