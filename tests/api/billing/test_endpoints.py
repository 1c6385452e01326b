"""Stripe's webhook over HTTP: 202 means durable, everything else leaves no row."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from pydantic import SecretStr

from api.app import MAX_BODY_BYTES
from api.billing.models import LedgerEntry, StripeEvent
from api.db.session import Database
from api.jobs import Job
from api.orders.models import OrderStatus
from api.settings import Settings
from tests.factories.webhooks import SECRET, event_body, signature
from tests.fixtures.api import Api, run_api
from tests.fixtures.shop import Shop
from tests.races import at_once

PATH = "/v1/stripe/webhook"


def deliver(api: Api, body: bytes, header: str | None = None) -> httpx.Response:
    """Deliver a webhook, signed now unless another header is given."""
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body) if header is None else header}
    return api.client().post(PATH, content=body, headers=headers)


def refusal(api: Api, shop: Shop, body: bytes, header: str | None = None) -> str:
    """Deliver what must be refused, and return why: 400, no row, no job."""
    answer = deliver(api, body, header)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_webhook")
    assert (list(shop.all(StripeEvent)), api.jobs.sent) == ([], [])
    return str(answer.json()["detail"])


def test_a_signed_event_is_durable_before_it_is_answered(api: Api, api_shop: Shop) -> None:
    """202, a row, and a hint that carries the event's id and nothing else."""
    assert deliver(api, event_body()).status_code == 202
    assert [row.id for row in api_shop.all(StripeEvent)] == ["evt_1"]
    assert api.jobs.sent == [(Job.APPLY_STRIPE_EVENT, ("evt_1",))]


def test_from_payment_to_delivery(api: Api, api_shop: Shop) -> None:
    """The webhook is stored, the task applies it, the operation is queued."""
    order_id = api_shop.place()
    api.payments.pay(order_id)
    deliver(api, event_body(subject={"id": f"cs_test_{order_id.hex}"}))
    ((event_id,),) = api.jobs.of(Job.APPLY_STRIPE_EVENT)
    api_shop.billing.apply_event(str(event_id))
    assert api_shop.order(order_id).status is OrderStatus.PAID
    assert len(api.jobs.of(Job.RUN_OPERATION)) == 1


def test_a_forged_webhook_is_refused(api: Api, api_shop: Shop) -> None:
    """Signed by somebody else, or not at all."""
    body = event_body()
    assert "does not fit" in refusal(api, api_shop, body, signature(body, "whsec_guessed"))
    assert "does not fit" in refusal(api, api_shop, body, "t=1,v1=00")
    assert "missing" in refusal(api, api_shop, body, "")
    answer = api.client().post(PATH, content=body)
    assert answer.status_code == 400


def test_a_stale_webhook_is_refused(api: Api, api_shop: Shop) -> None:
    """An hour old: somebody recorded it."""
    body = event_body()
    assert "older than five minutes" in refusal(api, api_shop, body, signature(body, age_seconds=3600))


def test_a_re_serialised_webhook_is_refused(api: Api, api_shop: Shop) -> None:
    """Equal as JSON, other bytes."""
    body = event_body()
    refusal(api, api_shop, body.replace(b"\n", b""), signature(body))


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"type": "x"}', b'{"id": "evt_1"}', b"\xff"])
def test_a_signed_webhook_that_is_no_event_is_refused(api: Api, api_shop: Shop, body: bytes) -> None:
    """Not JSON, no id, no type."""
    refusal(api, api_shop, body)


def test_a_large_forged_webhook_costs_nothing(api: Api, api_shop: Shop) -> None:
    """1 MB of anything: refused by its signature; more than that: before it is read."""
    refusal(api, api_shop, b"x" * 1_000_000, "t=1,v1=00")
    too_large = event_body() + b" " * MAX_BODY_BYTES
    answer = deliver(api, too_large)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert list(api_shop.all(StripeEvent)) == []


def test_a_large_signed_webhook_is_stored(api: Api, api_shop: Shop) -> None:
    """Stripe's events may be big; this one has a megabyte."""
    body = event_body(subject={"id": "cs_x", "padding": "x" * 1_000_000})
    assert deliver(api, body).status_code == 202
    assert len(api_shop.all(StripeEvent)) == 1


def test_a_duplicate_is_welcome_and_changes_nothing(api: Api, api_shop: Shop) -> None:
    """Stripe delivers at least once: 202 again, one row, one hint."""
    for _ in range(3):
        assert deliver(api, event_body()).status_code == 202
    assert len(api_shop.all(StripeEvent)) == len(api.jobs.sent) == 1


def test_fifty_copies_at_once_are_one_event(api: Api, api_shop: Shop) -> None:
    """All are told 202; one row, one hint (F25)."""
    order_id = api_shop.place()
    api.payments.pay(order_id)
    body = event_body(subject={"id": f"cs_test_{order_id.hex}"})
    answers = at_once([partial(deliver, api, body)] * 50)
    assert {answer.status_code for answer in answers if isinstance(answer, httpx.Response)} == {202}
    assert len(api_shop.all(StripeEvent)) == len(api.jobs.sent) == 1
    api_shop.billing.apply_event("evt_1")
    assert len(api_shop.all(LedgerEntry)) == 1


def test_an_event_of_no_concern_is_stored_and_makes_no_task(api: Api, api_shop: Shop) -> None:
    """Stripe is told 202, or it would send it for three days."""
    assert deliver(api, event_body(kind="customer.created")).status_code == 202
    assert len(api_shop.all(StripeEvent)) == 1
    assert api.jobs.sent == []


def test_a_webhook_needs_no_account_and_gives_none(api: Api, api_shop: Shop) -> None:
    """The answer has no body that could tell anything."""
    answer = deliver(api, event_body())
    assert (answer.content, answer.headers.get("set-cookie")) == (b"", None)
    assert len(api_shop.all(StripeEvent)) == 1


@pytest.fixture
def rolling_api(settings: Settings, database: Database) -> Iterator[Api]:
    """Return an API whose webhook secret is being rolled."""
    both = settings.model_copy(update={"stripe_webhook_secrets": SecretStr(f"whsec_new, {SECRET}")})
    with run_api(both, database) as running:
        yield running


def test_both_secrets_are_good_during_a_roll(rolling_api: Api, empty_shop: Shop) -> None:
    """The old one until Stripe has stopped using it; a third one is not."""
    old, new = event_body("evt_old"), event_body("evt_new")
    assert deliver(rolling_api, old, signature(old, SECRET)).status_code == 202
    assert deliver(rolling_api, new, signature(new, "whsec_new")).status_code == 202
    assert deliver(rolling_api, new, signature(new, f"whsec_new, {SECRET}")).status_code == 400
    assert {row.id for row in empty_shop.all(StripeEvent)} == {"evt_old", "evt_new"}
