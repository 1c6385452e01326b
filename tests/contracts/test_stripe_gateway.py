"""Every request that Slipway sends to Stripe: its shape against Stripe's own description, its meaning in the lab.

``stripe-mock`` checks shapes and keeps no state; the lab keeps state and stands for the meaning.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import stripe
from uuid_utils.compat import uuid7

from api.billing.gateway import CheckoutRequest, CheckoutState
from api.billing.stripe_gateway import StripeGateway
from api.errors import NotFound, PaymentsUnavailable
from api.settings import Settings
from automation.embedded.provision import register_webhook
from tests.contracts.stripe_mock.build import running_stripe_mock

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.processes


def settings(base: str, secret_key: str) -> Settings:
    """Settings of which only Stripe's address and key matter here."""
    return Settings.model_validate(
        {
            "DATABASE_URL": "postgresql://unused",
            "REDIS_URL": "redis://unused",
            "master_keys": "unused",
            "public_url": "https://shop.example",
            "stripe_secret_key": secret_key,
            "stripe_webhook_secrets": "unused",
            "state_database_url": "postgres://nobody@127.0.0.1:1/state",
            "stripe_api_base": base,
        }
    )


@pytest.fixture(scope="module")
def mock_url() -> Iterator[str]:
    """Stripe's own mock server."""
    with running_stripe_mock() as url:
        yield url


@pytest.fixture
def described(mock_url: str) -> StripeGateway:
    """Our gateway, facing Stripe's description."""
    return StripeGateway(settings(mock_url, "sk_test_nobodys"))


@pytest.fixture
def gateway(lab: "RunningLab") -> StripeGateway:
    """Our gateway, facing the lab."""
    return StripeGateway(settings(lab.document.stripe.base_url, lab.document.stripe.secret_key))


def request() -> CheckoutRequest:
    """An order of 12 euros."""
    return CheckoutRequest(
        order_id=uuid7(),
        customer_email="customer@shop.example",
        description="Cloud VM S, one month",
        amount_cents=1200,
        currency="eur",
        expires_at=datetime.now(UTC) + timedelta(minutes=40),
    )


def test_the_shape_of_a_checkout_is_stripe_s(described: StripeGateway) -> None:
    """Creating and fetching one."""
    described.get_checkout(described.create_checkout(request()).id)


def test_the_shape_of_a_refund_is_stripe_s(described: StripeGateway) -> None:
    """Creating one."""
    assert described.refund(uuid7(), "pi_1", 1200)


def test_the_shape_of_a_webhook_endpoint_is_stripe_s(mock_url: str) -> None:
    """Registering one, as the embedded system does at its start."""
    register_webhook(
        {"SLIPWAY_STRIPE_API_BASE": mock_url, "SLIPWAY_STRIPE_SECRET_KEY": "sk_test_nobodys"},
        "https://shop.example",
    )


def test_a_checkout_is_open_then_paid_then_refunded(lab: "RunningLab", gateway: StripeGateway) -> None:
    """The gateway reads each state as it is, and gives the whole amount back once."""
    wanted = request()
    opened = gateway.create_checkout(wanted)
    assert (opened.state, opened.order_id, opened.amount_cents) == (CheckoutState.OPEN, wanted.order_id, 1200)
    assert gateway.create_checkout(wanted).id == opened.id
    lab.faults.stripe.pay(opened.id)
    paid = gateway.get_checkout(opened.id)
    assert paid.state is CheckoutState.PAID
    assert paid.payment_reference is not None
    refund = gateway.refund(wanted.order_id, paid.payment_reference, 1200)
    assert gateway.refund(wanted.order_id, paid.payment_reference, 1200) == refund
    (known,) = lab.truth.stripe.v1.refunds.list({"payment_intent": paid.payment_reference}).data
    assert (known.id, known.amount) == (refund, 1200)


def test_an_expired_checkout_is_seen_as_expired(lab: "RunningLab", gateway: StripeGateway) -> None:
    """Nobody paid in time."""
    opened = gateway.create_checkout(request())
    lab.truth.stripe.v1.checkout.sessions.expire(opened.id)
    assert gateway.get_checkout(opened.id).state is CheckoutState.EXPIRED


def test_an_unknown_checkout_and_an_unreachable_stripe_are_our_errors(
    lab: "RunningLab", gateway: StripeGateway
) -> None:
    """Each is the error that the rest of the product knows."""
    with pytest.raises(NotFound):
        gateway.get_checkout("cs_test_none")
    with lab.faults.stripe.during("error", status=500), pytest.raises(PaymentsUnavailable):
        gateway.create_checkout(request())


def test_a_refund_made_by_somebody_else_is_found(lab: "RunningLab", gateway: StripeGateway) -> None:
    """A person at Stripe was faster."""
    opened = gateway.create_checkout(request())
    lab.faults.stripe.pay(opened.id)
    reference = gateway.get_checkout(opened.id).payment_reference
    assert reference is not None
    made = lab.truth.stripe.v1.refunds.create({"payment_intent": reference})
    assert isinstance(made, stripe.Refund)
    assert gateway.refund(uuid7(), reference, 1200) == made.id
