"""One contract for both payment gateways: the fake that most tests use, and the real one on the lab's Stripe."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import stripe
from uuid_utils.compat import uuid7

from api.billing.gateway import CheckoutRequest, CheckoutSession, CheckoutState, PaymentGateway
from api.billing.stripe_gateway import API_VERSION, StripeGateway
from api.errors import NotFound, PaymentsUnavailable
from api.settings import Settings
from tests.fakes.payments import FakePayments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.client import RunningLab

pytestmark = pytest.mark.processes


@dataclass(frozen=True)
class Provider:
    """A payment provider: the gateway under test, and what customers and fate do behind it."""

    gateway: PaymentGateway
    pay: Callable[[CheckoutSession], object]
    expire: Callable[[CheckoutSession], object]
    away: Callable[[], AbstractContextManager[object]]


def fake_provider() -> Provider:
    """Return the provider in memory."""
    fake = FakePayments()

    @contextmanager
    def away() -> "Iterator[None]":
        fake.is_reachable = False
        yield
        fake.is_reachable = True

    def order_of(session: CheckoutSession) -> Any:
        return session.order_id

    return Provider(
        fake, lambda session: fake.pay(order_of(session)), lambda session: fake.expire(order_of(session)), away
    )


def real_provider(lab: "RunningLab") -> Provider:
    """Return the real gateway on the lab's Stripe."""
    section = lab.document.stripe
    settings = Settings.model_validate(
        {
            "DATABASE_URL": "postgresql://not-used",
            "REDIS_URL": "redis://not-used",
            "master_keys": "not used",
            "public_url": "https://slipway.example",
            "stripe_secret_key": section.secret_key,
            "stripe_webhook_secrets": section.webhook_secret,
            "state_database_url": "postgres://nobody@127.0.0.1:1/state",
            "stripe_api_base": section.base_url,
        }
    )
    return Provider(
        StripeGateway(settings),
        lambda session: lab.faults.stripe.pay(session.id, webhooks="drop"),
        lambda session: lab.truth.stripe.v1.checkout.sessions.expire(session.id),
        lambda: lab.faults.stripe.during("error", status=503),
    )


@pytest.fixture(params=["fake", "stripe"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """Return each provider in turn."""
    return fake_provider() if request.param == "fake" else real_provider(request.getfixturevalue("lab"))


def wish() -> CheckoutRequest:
    """Return a request to be paid 4.50 EUR for a new order."""
    return CheckoutRequest(
        order_id=uuid7(),
        customer_email="buyer@example.com",
        description="Cloud VM, 1 core / 2 GiB, Debian 12 (bookworm)",
        amount_cents=450,
        currency="eur",
        expires_at=datetime.now(UTC) + timedelta(minutes=40),
    )


def test_a_new_checkout_is_open_and_names_its_order(provider: Provider) -> None:
    """With a page to pay on, and the price that was asked for."""
    wanted = wish()
    session = provider.gateway.create_checkout(wanted)
    assert (session.order_id, session.state) == (wanted.order_id, CheckoutState.OPEN)
    assert (session.amount_cents, session.currency, session.payment_reference) == (450, "eur", None)
    assert session.url is not None
    assert session.url.startswith("http")
    assert provider.gateway.get_checkout(session.id) == session


def test_asking_again_gives_the_same_checkout(provider: Provider) -> None:
    """A repeated request costs the customer nothing."""
    wanted = wish()
    assert provider.gateway.create_checkout(wanted) == provider.gateway.create_checkout(wanted)


def test_orders_have_checkouts_of_their_own(provider: Provider) -> None:
    """Two orders, two pages."""
    assert provider.gateway.create_checkout(wish()).id != provider.gateway.create_checkout(wish()).id


def test_asking_at_once_gives_one_checkout(provider: Provider) -> None:
    """Of two clicks, both get the page; at worst one has to ask again."""
    wanted = wish()

    def ask(_: int) -> str | None:
        try:
            return provider.gateway.create_checkout(wanted).id
        except PaymentsUnavailable:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4))) - {None}) == 1


def test_a_paid_checkout_says_what_was_paid_and_how_to_refund_it(provider: Provider) -> None:
    """And there is no page any more."""
    session = provider.gateway.create_checkout(wish())
    provider.pay(session)
    paid = provider.gateway.get_checkout(session.id)
    assert paid == replace(session, state=CheckoutState.PAID, url=None, payment_reference=paid.payment_reference)
    assert paid.payment_reference


def test_an_expired_checkout_says_so(provider: Provider) -> None:
    """Nobody can pay it any more."""
    session = provider.gateway.create_checkout(wish())
    provider.expire(session)
    assert provider.gateway.get_checkout(session.id) == replace(session, state=CheckoutState.EXPIRED, url=None)


@pytest.mark.parametrize("session_id", ["cs_test_none", "../../v1/customers", "ä b"])
def test_an_unknown_checkout_is_not_found(provider: Provider, session_id: str) -> None:
    """Whatever an event may claim; the id is no path."""
    with pytest.raises(NotFound):
        provider.gateway.get_checkout(session_id)


def test_a_refund_is_paid_once_however_often_it_is_asked(provider: Provider) -> None:
    """The same id each time."""
    session = provider.gateway.create_checkout(wish())
    provider.pay(session)
    reference = str(provider.gateway.get_checkout(session.id).payment_reference)
    assert session.order_id is not None
    refunds = {provider.gateway.refund(session.order_id, reference, 450) for _ in range(3)}
    assert len(refunds) == 1
    assert refunds.pop().startswith("re_")


def test_a_provider_that_is_away_is_one_error_of_ours(provider: Provider) -> None:
    """For every call; and once it is back, the calls go on where they stopped."""
    session = provider.gateway.create_checkout(wish())
    later = wish()
    with provider.away():
        with pytest.raises(PaymentsUnavailable):
            provider.gateway.create_checkout(later)
        with pytest.raises(PaymentsUnavailable):
            provider.gateway.get_checkout(session.id)
        with pytest.raises(PaymentsUnavailable):
            provider.gateway.refund(uuid4(), "pi_1", 450)
    assert provider.gateway.get_checkout(session.id) == session
    assert provider.gateway.create_checkout(later).order_id == later.order_id


def test_a_lost_answer_is_met_again(lab: "RunningLab") -> None:
    """Stripe made the page and the answer did not arrive: asking again finds that page, and there is only one."""
    gateway = real_provider(lab).gateway
    wanted = wish()
    # The SDK itself asks three times in all.
    lab.faults.stripe.add("lose_answer", method="POST", path="/v1/checkout/sessions", times=3)
    with pytest.raises(PaymentsUnavailable):
        gateway.create_checkout(wanted)
    session = gateway.create_checkout(wanted)
    assert [found.id for found in lab.truth.stripe.v1.checkout.sessions.list().data] == [session.id]


def test_a_session_s_order_is_read_from_what_only_we_can_write(lab: "RunningLab") -> None:
    """A payment link lets its visitor choose the reference, never the metadata."""
    order_id = str(uuid7())
    price: Any = {"currency": "eur", "unit_amount": 450, "product_data": {"name": "x"}}
    params: Any = {
        "mode": "payment",
        "success_url": "https://elsewhere.example",
        "client_reference_id": order_id,
        "line_items": [{"price_data": price, "quantity": 1}],
    }
    foreign = lab.truth.stripe.v1.checkout.sessions.create(params)
    assert real_provider(lab).gateway.get_checkout(foreign.id).order_id is None


def test_the_pinned_api_version_is_the_one_the_sdk_was_made_for() -> None:
    """Another SDK means reading Stripe's changelog first."""
    assert stripe.api_version == API_VERSION
