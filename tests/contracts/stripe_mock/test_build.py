"""``stripe-mock`` is there and judges requests by Stripe's description."""

from collections.abc import Iterator

import pytest
import stripe

from tests.contracts.stripe_mock.build import running_stripe_mock


@pytest.fixture(scope="module")
def client() -> Iterator[stripe.StripeClient]:
    """The official SDK, pointed at a mock server of this module."""
    with running_stripe_mock() as url:
        yield stripe.StripeClient("sk_test_123", base_addresses={"api": url}, max_network_retries=0)


def test_a_request_of_the_right_shape_is_answered(client: stripe.StripeClient) -> None:
    """A Checkout Session with an ad-hoc price passes."""
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://slipway.example/paid",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Bot"}},
                }
            ],
        }
    )
    assert session.object == "checkout.session"


def test_a_parameter_that_stripe_does_not_know_is_refused(client: stripe.StripeClient) -> None:
    """This is what the mock is for."""
    with pytest.raises(stripe.InvalidRequestError, match="additional properties are not allowed"):
        client.raw_request("post", "/v1/checkout/sessions", mode="payment", unheard_of=1)
