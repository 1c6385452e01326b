"""The official ``stripe`` SDK drives the stand-in as it would drive Stripe."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

from tests.fakes.webhook_receiver import WebhookReceiver

if TYPE_CHECKING:
    from lab.client import RunningLab

EVERYTHING: Any = ["*"]
_COLLECTED_AT, _MUCH_LATER = int(time.time()), 30 * 86_400
"""A session lives for a day at most; between the collection of a test and its run may lie hours."""


@pytest.fixture
def client(lab: "RunningLab") -> stripe.StripeClient:
    """The SDK with the lab's key, without retries so that errors show."""
    return lab.truth.stripe


@pytest.fixture
def receiver(client: stripe.StripeClient) -> Iterator[WebhookReceiver]:
    """A registered webhook endpoint that takes everything."""
    with WebhookReceiver() as server:
        client.v1.webhook_endpoints.create({"url": server.url, "enabled_events": EVERYTHING})
        yield server


def checkout(client: stripe.StripeClient, key: str | None = None, **more: Any) -> stripe.checkout.Session:
    """A session for two months of a server at 5 euros."""
    price = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Cloud VM"}}
    params: Any = {
        "mode": "payment",
        "success_url": "https://shop.example/ok?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/no",
        "client_reference_id": "order-1",
        "metadata": {"order_id": "order-1"},
        "payment_intent_data": {"metadata": {"order_id": "order-1"}},
        "line_items": [{"price_data": price, "quantity": 2}],
        **more,
    }
    return client.v1.checkout.sessions.create(params, {"idempotency_key": key} if key else {})


def paid(lab: "RunningLab", client: stripe.StripeClient) -> stripe.checkout.Session:
    """A session that its customer has paid."""
    session = checkout(client)
    lab.faults.stripe.pay(session.id)
    return client.v1.checkout.sessions.retrieve(session.id)


def test_a_session_is_created_retrieved_listed_and_expired(client: stripe.StripeClient) -> None:
    """What the shop does with a session that nobody pays."""
    session = checkout(client)
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1000)
    assert session.client_reference_id == "order-1"
    again = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert again.line_items is not None
    assert [(item.description, item.quantity) for item in again.line_items.data] == [("Cloud VM", 2)]
    assert [item.id for item in client.v1.checkout.sessions.list({"status": "open"}).data] == [session.id]
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="this one is expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_a_price_is_found_by_its_lookup_key_and_sold(client: stripe.StripeClient) -> None:
    """Catalogue prices, as the shop would keep them at Stripe."""
    product = client.v1.products.create({"name": "Game server", "metadata": {"sku": "game-s"}})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 999, "lookup_key": "game-s"}
    )
    assert [item.id for item in client.v1.prices.list({"lookup_keys": ["game-s"]}).data] == [price.id]
    session = checkout(client, line_items=[{"price": price.id, "quantity": 3}])
    assert session.amount_total == 2997
    client.v1.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="is inactive"):
        checkout(client, line_items=[{"price": price.id, "quantity": 1}])


def test_a_lookup_key_moves_only_on_request(client: stripe.StripeClient) -> None:
    """Two prices never share one."""
    params: Any = {"currency": "eur", "unit_amount": 100, "lookup_key": "k", "product_data": {"name": "x"}}
    first = client.v1.prices.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        client.v1.prices.create(params)
    moved: Any = {**params, "transfer_lookup_key": True}
    second = client.v1.prices.create(moved)
    assert client.v1.prices.retrieve(first.id).lookup_key is None
    assert second.lookup_key == "k"


def test_a_person_pays_on_the_hosted_page(client: stripe.StripeClient, receiver: WebhookReceiver) -> None:
    """The page shows the lines; Pay leads to the shop, and the signed event says paid."""
    session = checkout(client)
    assert session.url is not None
    page = httpx.get(session.url)
    assert "2 &times; Cloud VM" in page.text
    assert "10.00 EUR" in page.text
    answer = httpx.post(session.url, data={"action": "pay", "card": "4242424242424242"})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.example/ok?session={session.id}"
    event = receiver.until("checkout.session.completed").event
    assert event["data"]["object"]["payment_status"] == "paid"
    again = httpx.post(session.url, data={"action": "pay"})
    assert again.status_code == 303  # a double click pays once
    assert len(client.v1.payment_intents.list().data) == 1


def test_a_declined_card_leaves_the_session_open(client: stripe.StripeClient) -> None:
    """The customer may try another card; Cancel leads back to the shop."""
    session = checkout(client)
    assert session.url is not None
    answer = httpx.post(session.url, data={"action": "pay", "card": "4000000000000002"})
    assert answer.status_code == 402
    assert "declined" in answer.text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    cancelled = httpx.post(session.url, data={"action": "cancel"})
    assert cancelled.headers["location"] == "https://shop.example/no"


def test_an_expired_session_cannot_be_paid(client: stripe.StripeClient) -> None:
    """The page says so."""
    session = checkout(client)
    assert session.url is not None
    client.v1.checkout.sessions.expire(session.id)
    assert httpx.post(session.url, data={"action": "pay"}).status_code == 410


def test_webhooks_are_signed_as_stripe_signs(
    lab: "RunningLab", client: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    """The SDK's own check accepts them, and refuses a changed body and another secret."""
    paid(lab, client)
    delivery = receiver.until("checkout.session.completed")
    secret = lab.document.stripe.webhook_secret
    event = stripe.Webhook.construct_event(delivery.payload, delivery.signature, secret)
    assert event.data.object["client_reference_id"] == "order-1"
    for payload, key in ((delivery.payload + b" ", secret), (delivery.payload, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(payload, delivery.signature, key)


def test_the_payment_s_events_come_and_can_be_listed(
    lab: "RunningLab", client: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    """The list is newest first and finds what a missed webhook would have said."""
    session = paid(lab, client)
    receiver.until("checkout.session.completed")
    events = client.v1.events.list({"types": ["checkout.session.completed"], "created": {"gte": session.created}})
    assert [event.data.object["id"] for event in events.data] == [session.id]
    kinds = [event.type for event in client.v1.events.list({"limit": 2}).auto_paging_iter()]
    assert kinds[0] == "checkout.session.completed"
    assert {"payment_intent.succeeded", "charge.succeeded", "payment_intent.created"} <= set(kinds)


def test_an_event_carries_its_endpoint_s_api_version(lab: "RunningLab", client: stripe.StripeClient) -> None:
    """A pinned version is what the shop gets; only the events that it asked for come."""
    with WebhookReceiver() as server:
        wanted: Any = {"url": server.url, "enabled_events": ["checkout.session.completed"], "api_version": "2024-06-20"}
        endpoint = client.v1.webhook_endpoints.create(wanted)
        assert endpoint.secret == lab.document.stripe.webhook_secret
        paid(lab, client)
        event = server.next().event
        assert (event["type"], event["api_version"]) == ("checkout.session.completed", "2024-06-20")
        client.v1.webhook_endpoints.delete(endpoint.id)


def test_a_failed_delivery_is_tried_again(lab: "RunningLab", client: stripe.StripeClient) -> None:
    """Until the endpoint answers 2xx; the signature is made anew."""
    with WebhookReceiver(500) as server:
        only: Any = {"url": server.url, "enabled_events": ["checkout.session.completed"]}
        client.v1.webhook_endpoints.create(only)
        paid(lab, client)
        first, second = server.next(), server.next()
        assert first.event["id"] == second.event["id"]
        assert lab.faults.stripe.attempts()[0]["status"] == 500


def test_refunds_are_partial_then_whole_then_refused(
    lab: "RunningLab", client: stripe.StripeClient, receiver: WebhookReceiver
) -> None:
    """Never more than was paid; each one announces itself."""
    intent = str(paid(lab, client).payment_intent)
    part = client.v1.refunds.create({"payment_intent": intent, "amount": 300, "reason": "requested_by_customer"})
    assert (part.status, part.amount, part.payment_intent) == ("succeeded", 300, intent)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 701})
    assert client.v1.refunds.create({"payment_intent": intent}).amount == 700
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"payment_intent": intent})
    assert caught.value.code == "charge_already_refunded"
    assert [item.amount for item in client.v1.refunds.list({"payment_intent": intent}).data] == [700, 300]
    assert receiver.until("refund.created").event["data"]["object"]["amount"] in {300, 700}
    charge = receiver.until("charge.refunded").event["data"]["object"]
    assert charge["payment_intent"] == intent


def test_an_idempotency_key_gives_the_same_session_once(client: stripe.StripeClient) -> None:
    """The same request is answered from memory, another one with that key is refused."""
    first, second = checkout(client, "k"), checkout(client, "k")
    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        checkout(client, "k", client_reference_id="order-2")
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_an_invalid_request_may_be_tried_again_with_its_key(client: stripe.StripeClient) -> None:
    """Nothing was begun, so nothing is remembered."""
    with pytest.raises(stripe.InvalidRequestError):
        checkout(client, "k", line_items=[])
    assert checkout(client, "k").status == "open"


def test_simultaneous_requests_with_one_key_make_one_session(client: stripe.StripeClient) -> None:
    """A double click: every answer is the one session, or says that it is being made."""

    def attempt(_number: int) -> str | None:
        try:
            return checkout(client, "double").id
        except stripe.StripeError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(attempt, range(8))) - {"idempotency_key_in_use"}
    assert len(answers) == 1
    assert len(client.v1.checkout.sessions.list().data) == 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"success_url": ""}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"expires_at": _COLLECTED_AT}, "expires_at"),
        ({"expires_at": _COLLECTED_AT + _MUCH_LATER}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"colour": "red"}, "colour"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0]"),
        ({"line_items": [{"price": "price_x", "quantity": -1}]}, "line_items[0][quantity]"),
        (
            {
                "line_items": [
                    {"price_data": {"currency": "eur", "unit_amount": 49, "product_data": {"name": "x"}}, "quantity": 1}
                ]
            },
            "line_items",
        ),
    ],
)
def test_a_bad_session_is_refused_by_parameter(client: stripe.StripeClient, change: dict[str, Any], param: str) -> None:
    """Each error names the parameter, and no session is left behind."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        checkout(client, **change)
    assert caught.value.param == param
    assert client.v1.checkout.sessions.list().data == []


def test_what_does_not_exist_is_missing(client: stripe.StripeClient) -> None:
    """404 with the code that the shop's reconcile looks for."""
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.retrieve("cs_test_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_wrong_key_is_refused(lab: "RunningLab") -> None:
    """401; the answer does not repeat the key."""
    stranger = stripe.StripeClient("sk_test_wrongwrong", base_addresses={"api": lab.document.stripe.base_url})
    with pytest.raises(stripe.AuthenticationError) as caught:
        stranger.v1.checkout.sessions.list()
    assert "wrongwrong" not in str(caught.value)


def test_pages_of_a_list_join_without_gap_or_double(client: stripe.StripeClient) -> None:
    """Forwards and backwards."""
    made = [checkout(client).id for _ in range(5)]
    pages = client.v1.checkout.sessions.list({"limit": 2})
    assert [item.id for item in pages.auto_paging_iter()] == made[::-1]
    before = client.v1.checkout.sessions.list({"limit": 2, "ending_before": made[0]})
    assert [item.id for item in before.data] == [made[2], made[1]]
