"""What is owed goes back once, whoever pays it back and however often Stripe is away."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, update

from api.billing.models import EntryKind, LedgerEntry, Refund
from api.jobs import Job
from api.operations.models import OperationKind
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from tests.fixtures.shop import Shop
from tests.races import at_once

PRICE = 450
LONG_AGO = func.now() - timedelta(hours=1)


def hear_completed(shop: Shop, order_id: UUID) -> str | None:
    """Let the event of an order's payment come."""
    return shop.hear("checkout.session.completed", {"id": f"cs_test_{order_id.hex}"})


def charge_of(order_id: UUID, **changes: Any) -> dict[str, Any]:
    """Return the object of a refund event."""
    fields = {
        "object": "charge",
        "payment_intent": f"pi_{order_id.hex}",
        "amount": PRICE,
        "amount_refunded": PRICE,
        "refunded": True,
        "metadata": {"order_id": str(order_id)},
    }
    return fields | changes


def status_of(shop: Shop, order_id: UUID) -> OrderStatus:
    """Return an order's status."""
    return shop.order(order_id).status


def owe(shop: Shop) -> UUID:
    """Return a paid order whose delivery has failed for good."""
    order_id = shop.place_paid()
    shop.fulfil(order_id, lambda fulfilment, order: fulfilment.failure(order, "the node is gone"))
    return order_id


def make_due(shop: Shop, **changes: Any) -> None:
    """Let the waiting time of all refunds be over."""
    shop.change(lambda session: session.execute(update(Refund).values(next_attempt_at=LONG_AGO, **changes)))


def test_what_is_owed_is_paid_back(shop: Shop) -> None:
    """The provider's id is kept, and the ledger ends at zero."""
    order_id = owe(shop)
    assert shop.billing.pay_refunds() == 1
    refund = shop.refund(order_id)
    assert (refund.provider_refund_id, status_of(shop, order_id)) == (f"re_pi_{order_id.hex}", OrderStatus.REFUNDED)
    assert refund.done_at is not None
    assert shop.ledger(order_id) == {EntryKind.PAYMENT: PRICE, EntryKind.REFUND: -PRICE}


def test_a_refund_is_tried_until_stripe_answers_and_paid_once(shop: Shop) -> None:
    """With longer and longer waits in between; the order says what it waits for."""
    order_id = owe(shop)
    shop.payments.is_reachable = False
    for attempt in range(1, 4):
        assert shop.billing.pay_refunds() == 0
        assert shop.billing.pay_refunds() == 0
        assert shop.refund(order_id).attempts == attempt
        assert status_of(shop, order_id) is OrderStatus.REFUND_DUE
        make_due(shop)
    shop.payments.is_reachable = True
    assert shop.billing.pay_refunds() == 1
    make_due(shop)
    assert shop.billing.pay_refunds() == 0
    assert (shop.payments.refunds, shop.balance()) == ({order_id: PRICE}, 0)


def test_the_wait_between_tries_grows_and_is_bounded(shop: Shop) -> None:
    """Never more than an hour, however long Stripe is away."""
    order_id = owe(shop)
    shop.payments.is_reachable = False
    for attempts in (1, 40):
        make_due(shop, attempts=attempts)
        shop.billing.pay_refunds()
        left = shop.change(lambda session: session.scalar(func.now())) - shop.refund(order_id).next_attempt_at
        assert timedelta(seconds=-3600) <= left < timedelta(seconds=-20)


def test_many_workers_pay_each_refund_once(shop: Shop) -> None:
    """Eight workers, four refunds: four payments in all."""
    owed = [owe(shop) for _ in range(4)]
    paid = at_once([shop.billing.pay_refunds] * 8)
    assert sum(number for number in paid if isinstance(number, int)) == 4
    assert shop.payments.refunds == dict.fromkeys(owed, PRICE)
    assert shop.balance() == 0


def test_a_refund_that_fails_holds_up_no_other(shop: Shop) -> None:
    """Whatever the provider says about one of them."""
    broken, fine = owe(shop), owe(shop)
    shop.payments.refuse_refund_of(broken)
    assert shop.billing.pay_refunds() == 1
    assert (status_of(shop, broken), status_of(shop, fine)) == (OrderStatus.REFUND_DUE, OrderStatus.REFUNDED)


def test_a_crash_after_stripe_has_paid_is_made_good(shop: Shop) -> None:
    """The money went back, our note of it was lost: the next try finds the same refund."""
    order_id = owe(shop)
    shop.payments.refund(order_id, f"pi_{order_id.hex}", PRICE)
    assert shop.billing.pay_refunds() == 1
    assert (shop.payments.refunds, shop.balance()) == ({order_id: PRICE}, 0)


def test_a_refund_made_by_a_person_at_stripe_takes_the_workload_away(shop: Shop) -> None:
    """The event alone brings it about; the removal's hint goes out."""
    order_id = shop.place_paid()
    shop.fulfil(order_id, lambda fulfilment, order: fulfilment.delivery(order))
    assert shop.hear("charge.refunded", charge_of(order_id)) == "refunded"
    assert (status_of(shop, order_id), shop.balance()) == (OrderStatus.REFUNDED, 0)
    assert shop.workload(order_id).status is WorkloadStatus.CANCELLING
    assert len(shop.jobs.of(Job.RUN_OPERATION)) == 2


def test_a_refund_s_event_before_its_payment_s(shop: Shop) -> None:
    """The payment is booked first, from Stripe's own record; the late event then finds all done (F26)."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    assert shop.hear("charge.refunded", charge_of(order_id)) == "refunded"
    hear_completed(shop, order_id)
    assert shop.ledger(order_id) == {EntryKind.PAYMENT: PRICE, EntryKind.REFUND: -PRICE}
    assert status_of(shop, order_id) is OrderStatus.REFUNDED
    assert [operation.kind for operation in shop.operations(order_id)] == [OperationKind.DESTROY]


def test_a_refund_s_event_waits_for_a_payment_that_stripe_does_not_show_yet(shop: Shop) -> None:
    """It stays due."""
    order_id = shop.place()
    event_id = shop.receive("charge.refunded", charge_of(order_id))
    assert shop.billing.apply_event(event_id) is None
    assert shop.billing.due_events(timedelta(0)) == [event_id]
    shop.payments.pay(order_id)
    assert shop.billing.apply_event(event_id) == "refunded"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"refunded": False, "amount_refunded": 100}, "ignored: a partial refund changes nothing about the order"),
        ({"payment_intent": None}, "ignored: the event names no payment"),
        ({"amount_refunded": "450"}, "ignored: the event names no payment"),
        ({"payment_intent": "pi_x", "metadata": {}}, "ignored: no payment of ours"),
        ({"payment_intent": "pi_x", "metadata": {"order_id": "4711"}}, "ignored: no payment of ours"),
        ({"payment_intent": "pi_x", "metadata": {"order_id": str(uuid4())}}, "ignored: no payment of ours"),
        ({"payment_intent": "pi_x", "metadata": None}, "ignored: no payment of ours"),
    ],
)
def test_a_refund_that_is_no_concern_of_an_order_is_ignored_and_done(
    shop: Shop, changes: dict[str, Any], outcome: str
) -> None:
    """Another shop's in the same account, or a part only."""
    order_id = shop.place_paid()
    assert shop.hear("charge.refunded", charge_of(order_id, **changes)) == outcome
    assert (status_of(shop, order_id), shop.all(Refund)) == (OrderStatus.PAID, [])
    assert shop.billing.due_events(timedelta(0)) == []


def test_our_own_refund_s_event_changes_nothing_more(shop: Shop) -> None:
    """Stripe tells us of what we did ourselves."""
    order_id = owe(shop)
    shop.billing.pay_refunds()
    assert shop.hear("charge.refunded", charge_of(order_id)) == "refunded"
    assert shop.balance() == 0
    assert len(shop.all(LedgerEntry)) == 2


def test_the_books_agree_with_the_provider(shop: Shop) -> None:
    """Paid, refunded, late and wrong payments: the ledger's sum is what the provider holds (invariant I4)."""
    kept = shop.place_paid()
    owe(shop)
    late, wrong = shop.place(), shop.place()
    shop.payments.expire(late)
    shop.billing.check_order(late)
    shop.payments.pay(late)
    shop.billing.check_order(late)
    shop.payments.pay(wrong, amount_cents=9999)
    shop.billing.check_order(wrong)
    shop.billing.pay_refunds()
    assert shop.balance() == shop.order(kept).price_cents == PRICE
    assert sum(shop.payments.refunds.values()) == PRICE + PRICE + 9999
