"""Webhooks out of line: held, reordered, doubled, simultaneous, dropped."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from tests.fakes.webhook_receiver import WebhookReceiver

if TYPE_CHECKING:
    from lab.client import RunningLab


@pytest.fixture
def receiver(lab: "RunningLab") -> Iterator[WebhookReceiver]:
    """A registered webhook endpoint for what matters to the shop."""
    with WebhookReceiver() as server:
        wanted: Any = ["checkout.session.completed", "payment_intent.succeeded"]
        lab.truth.stripe.v1.webhook_endpoints.create({"url": server.url, "enabled_events": wanted})
        yield server


def session(lab: "RunningLab") -> str:
    """The id of an open session."""
    price: Any = {"currency": "eur", "unit_amount": 500, "product_data": {"name": "VM"}}
    params: Any = {
        "mode": "payment",
        "success_url": "https://shop.example/ok",
        "line_items": [{"price_data": price, "quantity": 1}],
    }
    return lab.truth.stripe.v1.checkout.sessions.create(params).id


def types(receiver: WebhookReceiver) -> list[str]:
    """The event types that have come."""
    return [delivery.event["type"] for delivery in receiver.waiting()]


def test_a_payment_without_a_webhook_is_paid_and_found_only_by_asking(
    lab: "RunningLab", receiver: WebhookReceiver
) -> None:
    """The webhook is lost for good; Stripe itself knows of the payment."""
    number = session(lab)
    assert lab.faults.stripe.pay(number, webhooks="drop")["payment_status"] == "paid"
    assert lab.faults.stripe.release() == []
    assert types(receiver) == []
    assert lab.truth.stripe.v1.events.list({"type": "checkout.session.completed"}).data


def test_held_events_are_released_in_either_order(lab: "RunningLab", receiver: WebhookReceiver) -> None:
    """Stripe promises no order."""
    lab.faults.stripe.set_webhooks("hold")
    order = ["payment_intent.succeeded", "checkout.session.completed"]
    for way, expected in (("created", order), ("reversed", order[::-1])):
        lab.faults.stripe.pay(session(lab))
        attempts = lab.faults.stripe.release(order=way)
        assert [attempt["type"] for attempt in attempts] == expected
        assert all(attempt["delivered"] for attempt in attempts)
        assert types(receiver) == expected


def test_an_event_comes_several_times_at_once(lab: "RunningLab", receiver: WebhookReceiver) -> None:
    """Every copy is the same event with a valid signature."""
    lab.faults.stripe.pay(session(lab), webhooks="hold")
    attempts = lab.faults.stripe.release(copies=4, simultaneous=True)
    assert len(attempts) == 8
    deliveries = receiver.waiting()
    assert len({delivery.event["id"] for delivery in deliveries}) == 2
    for delivery in deliveries:
        secret = lab.document.stripe.webhook_secret
        stripe.Webhook.construct_event(delivery.payload, delivery.signature, secret)


def test_an_old_event_can_be_sent_again(lab: "RunningLab", receiver: WebhookReceiver) -> None:
    """A replay of something long done."""
    lab.faults.stripe.pay(session(lab))
    event = receiver.until("checkout.session.completed").event
    lab.faults.stripe.deliver(event["id"], copies=2)
    assert types(receiver).count("checkout.session.completed") == 2


def test_one_payment_s_mode_does_not_change_the_others(lab: "RunningLab", receiver: WebhookReceiver) -> None:
    """The next payment is announced as usual."""
    lab.faults.stripe.pay(session(lab), webhooks="drop")
    number = session(lab)
    lab.faults.stripe.pay(number)
    assert receiver.until("checkout.session.completed").event["data"]["object"]["id"] == number


def test_stripe_can_be_down(lab: "RunningLab") -> None:
    """An error for as long as the fault is there."""
    client = lab.truth.stripe
    with lab.faults.stripe.during("error", status=503), pytest.raises(stripe.APIError):
        client.v1.checkout.sessions.list()
    assert client.v1.checkout.sessions.list().data == []


def test_a_lost_answer_is_met_again_by_its_idempotency_key(lab: "RunningLab") -> None:
    """The session was made; the same request with the same key finds it."""
    lab.faults.stripe.add("lose_answer", method="POST", path="/v1/products", times=1)
    client = lab.truth.stripe
    with pytest.raises(stripe.APIConnectionError):
        client.v1.products.create({"name": "x"}, {"idempotency_key": "k"})
    again = client.v1.products.create({"name": "x"}, {"idempotency_key": "k"})
    assert [item.id for item in client.v1.products.list().data] == [again.id]
