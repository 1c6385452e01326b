"""Webhooks as Stripe signs them (docs.stripe.com/webhooks#verify-manually), made without the SDK that checks them."""

import hashlib
import hmac
import json
import time
from typing import Any

SECRET = "whsec_made_up"
"""The signing secret of the ``settings`` fixture."""


def event_body(
    event_id: str = "evt_1", kind: str = "checkout.session.completed", subject: dict[str, Any] | None = None
) -> bytes:
    """Return an event as Stripe writes it: indented, so that a re-serialised copy differs."""
    event = {"id": event_id, "object": "event", "type": kind, "livemode": False, "data": {"object": subject or {}}}
    return json.dumps(event, indent=2).encode()


def signature(body: bytes, secret: str = SECRET, *, age_seconds: int = 0) -> str:
    """Return the ``Stripe-Signature`` header for a body."""
    timestamp = int(time.time()) - age_seconds
    digest = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
