"""Stripe through the official SDK, with the API version pinned."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import stripe

from api.billing.gateway import CheckoutRequest, CheckoutSession, CheckoutState, order_id_in
from api.errors import NotFound, PaymentsUnavailable
from api.settings import Settings

API_VERSION = "2026-10-28.endive"
"""Pinned, and the one that the locked SDK was generated for (``stripe.api_version``; a contract test compares them).

Stripe moved fields between versions before, and renewals were silently missed elsewhere for it. A new SDK therefore
means: read the changelog from this version on (docs.stripe.com/changelog), then change this line.
"""

_Answer = TypeVar("_Answer")
_TIMEOUT_SECONDS = 15
_RETRIES = 2
_DELAYED_METHODS = (
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "boleto",
    "customer_balance",
    "konbini",
    "multibanco",
    "nz_bank_account",
    "oxxo",
    "payto",
    "sepa_debit",
    "sofort",
    "us_bank_account",
)
"""Methods whose money comes days later, if it comes ("delayed notification" on docs.stripe.com/payments): a server
would be held for an unpaid order all that time."""


class StripeGateway:
    """Implements ``PaymentGateway``; every request carries an idempotency key made of the order's id."""

    def __init__(self, settings: Settings) -> None:
        base = settings.stripe_api_base
        self._return_url = str(settings.public_url).rstrip("/")
        self._client = stripe.StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            stripe_version=API_VERSION,
            base_addresses={"api": str(base).rstrip("/")} if base else {},
            max_network_retries=_RETRIES,
            http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
        )

    def create_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        """Create a Checkout Session for one order; see ``PaymentGateway``."""
        order_id = str(request.order_id)
        session = _call(
            lambda: self._client.v1.checkout.sessions.create(
                params={
                    "mode": "payment",
                    "client_reference_id": order_id,
                    "customer_email": request.customer_email,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": request.currency,
                                "unit_amount": request.amount_cents,
                                "product_data": {"name": request.description},
                            },
                        }
                    ],
                    "metadata": {"order_id": order_id},
                    "payment_intent_data": {"metadata": {"order_id": order_id}},
                    "excluded_payment_method_types": list(_DELAYED_METHODS),
                    "expires_at": int(request.expires_at.timestamp()),
                    "success_url": f"{self._return_url}/orders/{order_id}?paid=1",
                    "cancel_url": f"{self._return_url}/orders/{order_id}",
                },
                options={"idempotency_key": f"checkout-{order_id}"},
            )
        )
        return _checkout(session)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Fetch a Checkout Session; see ``PaymentGateway``."""
        try:
            return _checkout(_call(lambda: self._client.v1.checkout.sessions.retrieve(session_id)))
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            raise NotFound("the payment service knows no such checkout session") from error

    def refund(self, order_id: UUID, payment_reference: str, amount_cents: int) -> str:
        """Refund a payment intent; see ``PaymentGateway``.

        Stripe forgets idempotency keys after a day, but never pays more back than was paid.
        """
        try:
            refund = _call(
                lambda: self._client.v1.refunds.create(
                    params={
                        "payment_intent": payment_reference,
                        "amount": amount_cents,
                        "metadata": {"order_id": str(order_id)},
                    },
                    options={"idempotency_key": f"refund-{order_id}"},
                )
            )
        except stripe.InvalidRequestError as error:
            if error.code != "charge_already_refunded":
                raise
            refund = self._latest_refund(payment_reference)
        return str(refund.id)

    def _latest_refund(self, payment_reference: str) -> stripe.Refund:
        """Return the refund that was made already, by us a day ago or by a person at Stripe."""
        found = _call(lambda: self._client.v1.refunds.list(params={"payment_intent": payment_reference, "limit": 1}))
        return found.data[0]


def _call(request: Callable[[], _Answer]) -> _Answer:
    """Translate "Stripe cannot answer now" into our error; a refused request is a defect of ours and stays loud."""
    try:
        return request()
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
        raise PaymentsUnavailable(
            "the payment service does not answer at the moment; nothing was charged, and your order is kept: "
            "repeat the request with the same Idempotency-Key"
        ) from error


def _checkout(session: Any) -> CheckoutSession:
    state = {"complete": CheckoutState.PAID, "expired": CheckoutState.EXPIRED}.get(session.status, CheckoutState.OPEN)
    if session.payment_status != "paid" and state is CheckoutState.PAID:
        state = CheckoutState.OPEN  # complete, but the money is not here yet
    return CheckoutSession(
        id=str(session.id),
        # Not client_reference_id: who opens a payment link of the account can choose that one.
        order_id=order_id_in(getattr(session.metadata, "order_id", None)),
        state=state,
        url=session.url,
        amount_cents=int(session.amount_total or 0),
        currency=str(session.currency or ""),
        payment_reference=None if session.payment_intent is None else str(session.payment_intent),
    )
