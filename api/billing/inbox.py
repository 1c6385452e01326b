"""Takes Stripe's webhooks in: verify, store once, answer. What they mean is worked out later, by a task."""

import json
from typing import Any

import stripe
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.billing.models import StripeEvent
from api.errors import BadWebhook
from api.tracing import traceparent

CHECKOUT_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
REFUND_EVENT = "charge.refunded"
EVENT_TYPES = CHECKOUT_EVENTS | {REFUND_EVENT}
"""What we act on; a real account's webhook endpoint need subscribe to no others."""

TOLERANCE_SECONDS = 300
"""Stripe's own default: an older signature may be a replay."""


def verify(body: bytes, signature: str | None, secrets: tuple[str, ...]) -> dict[str, Any]:
    """Check a webhook's signature over the raw body and return the event.

    Two secrets are accepted while one is being rolled.

    Raises:
        BadWebhook: if no secret made this signature within the last five minutes, or the body is no event.
    """
    if not signature or not signature.isascii():
        raise BadWebhook("the 'Stripe-Signature' header is missing, or not of Stripe's making")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadWebhook("the body is not UTF-8") from None
    if not any(_matches(text, signature, secret) for secret in secrets):
        raise BadWebhook("the 'Stripe-Signature' does not fit this body, or is older than five minutes")
    try:
        event = json.loads(text)
    except ValueError:
        raise BadWebhook("the body is not JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not isinstance(event.get("type"), str):
        raise BadWebhook("the body is not a Stripe event: it has no 'id' or no 'type'")
    return event


def store(session: Session, event: dict[str, Any]) -> bool:
    """Store an event once; returns whether it is new and waits to be acted upon.

    Stripe sends many more kinds of events than we act on: those are kept too, marked as done.
    """
    values = {"id": event["id"], "type": event["type"], "livemode": bool(event.get("livemode")), "payload": event}
    values["traceparent"] = traceparent()
    is_ours = event["type"] in EVENT_TYPES
    if not is_ours:
        values |= {"processed_at": func.now(), "outcome": "ignored: not an event we act on"}
    statement = insert(StripeEvent).values(**values).on_conflict_do_nothing(index_elements=["id"])
    is_new = session.execute(statement.returning(StripeEvent.id)).one_or_none() is not None
    return is_new and is_ours


def _matches(text: str, signature: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE_SECONDS))
    except stripe.SignatureVerificationError:
        return False
