"""Once money has moved: delivered, refunded, or visibly pending, exactly once."""

from functools import partial
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.billing.models import EntryKind, LedgerEntry, Refund
from api.errors import Conflict, NotFound
from api.operations.models import OperationKind, OperationStatus
from api.orders.fulfilment import lock_order
from api.orders.models import Order, OrderStatus
from api.workloads.models import WorkloadStatus
from tests.factories.estate import estate, node_for
from tests.fixtures.shop import EVERYTHING, NOTHING, Shop
from tests.races import at_once

PRICE = 450


def pay(shop: Shop, order_id: UUID) -> bool:
    """Book the payment of an order; tells whether there is an operation to run for it."""
    paid = shop.payments.pay(order_id)
    return shop.fulfil(order_id, lambda fulfilment, order: fulfilment.payment(order, paid)) is not None


def expire(shop: Shop, order_id: UUID) -> None:
    """Let an unpaid order go."""
    shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))


def deliver(shop: Shop, order_id: UUID) -> None:
    """Mark an order delivered."""
    shop.fulfil(order_id, lambda fulfilment, order: fulfilment.delivery(order))


def fail(shop: Shop, order_id: UUID) -> bool:
    """Give up on an order; tells whether something has to be taken away."""
    return shop.fulfil(order_id, lambda fulfilment, order: fulfilment.failure(order, "the node is gone")) is not None


def cancel(shop: Shop, order_id: UUID) -> bool:
    """Cancel as the customer; tells whether something has to be taken away."""
    return shop.fulfil(order_id, lambda fulfilment, order: fulfilment.cancel(order, "not wanted")) is not None


def refund(shop: Shop, order_id: UUID) -> bool:
    """Hear that the money went back; tells whether something has to be taken away."""
    return shop.fulfil(order_id, lambda fulfilment, order: fulfilment.refunded(order, "re_1", PRICE)) is not None


def test_a_payment_starts_delivery(shop: Shop) -> None:
    """Order, ledger, workload and operation change in one transaction."""
    order_id = shop.place()
    assert pay(shop, order_id)
    order, (operation,) = shop.order(order_id), shop.operations(order_id)
    assert order.status is OrderStatus.PAID
    assert order.paid_at is not None
    assert (operation.kind, operation.status) == (OperationKind.APPLY, OperationStatus.QUEUED)
    assert operation.desired == shop.workload(order_id).desired
    assert shop.history(order_id) == ["pending_payment", "queued"]
    assert shop.ledger(order_id) == {EntryKind.PAYMENT: PRICE}


def test_a_payment_is_booked_once_however_often_it_is_told(shop: Shop) -> None:
    """Sixteen at once: one ledger entry, one operation (F25)."""
    order_id = shop.place()
    assert at_once([partial(pay, shop, order_id)] * 16).count(True) == 1
    assert len(shop.all(LedgerEntry)) == len(shop.operations(order_id)) == 1


def test_an_unpaid_order_that_expires_gives_everything_back(shop: Shop) -> None:
    """And its workload is closed: nothing of it ever existed."""
    order_id = shop.place()
    expire(shop, order_id)
    assert (shop.order(order_id).status, shop.order(order_id).closed_reason) == (
        OrderStatus.EXPIRED,
        "not paid in time",
    )
    assert shop.workload(order_id).status is WorkloadStatus.DELETED
    assert shop.workload(order_id).deleted_at is not None
    assert (shop.held(order_id), shop.room_used()["cloud-1"]) == (NOTHING, (0, 0, 0))
    assert shop.operations(order_id) == []


@pytest.mark.parametrize("then", [deliver, fail])
def test_a_late_word_about_an_expired_order_changes_nothing(shop: Shop, then: object) -> None:
    """Only money can bring it back to mind."""
    order_id = shop.place()
    expire(shop, order_id)
    assert callable(then)
    then(shop, order_id)
    assert shop.order(order_id).status is OrderStatus.EXPIRED


def test_expiry_of_a_paid_order_does_nothing(shop: Shop) -> None:
    """Late or reordered news."""
    order_id = shop.place_paid()
    expire(shop, order_id)
    assert (shop.order(order_id).status, shop.held(order_id)) == (OrderStatus.PAID, EVERYTHING)


def test_payment_and_expiry_at_once_end_in_one_of_two_ways(shop: Shop) -> None:
    """Delivered with everything held, or owed back with nothing held: never half (invariant I1)."""
    orders = [shop.place() for _ in range(6)]
    for order_id in orders:
        at_once([partial(pay, shop, order_id), partial(expire, shop, order_id)])
        status, held = shop.order(order_id).status, shop.held(order_id)
        assert (status, held) in {(OrderStatus.PAID, EVERYTHING), (OrderStatus.REFUND_DUE, NOTHING)}
        assert shop.ledger(order_id) == {EntryKind.PAYMENT: PRICE}


def test_a_payment_after_expiry_is_owed_back(shop: Shop) -> None:
    """What it held may be somebody else's by now."""
    order_id = shop.place()
    expire(shop, order_id)
    assert not pay(shop, order_id)
    assert shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert (shop.refund(order_id).amount_cents, shop.refund(order_id).done_at) == (PRICE, None)
    assert shop.operations(order_id) == []


@pytest.mark.parametrize(("amount", "currency"), [(PRICE - 1, "eur"), (PRICE + 1, "eur"), (1, "eur"), (PRICE, "usd")])
def test_another_amount_than_the_price_is_owed_back(shop: Shop, amount: int, currency: str) -> None:
    """Also more, also in another currency: the order is let go and exactly what came goes back (F31)."""
    order_id = shop.place()
    shop.payments.pay(order_id, amount_cents=amount, currency=currency)
    shop.billing.check_order(order_id)
    assert shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert shop.refund(order_id).amount_cents == amount
    assert (shop.held(order_id), shop.operations(order_id)) == (NOTHING, [])
    assert shop.workload(order_id).status is WorkloadStatus.DELETED


def test_delivery_is_marked_once(shop: Shop) -> None:
    """The second time changes nothing, not even the time."""
    order_id = shop.place_paid()
    deliver(shop, order_id)
    first = shop.order(order_id).delivered_at
    deliver(shop, order_id)
    assert (shop.order(order_id).status, shop.order(order_id).delivered_at) == (OrderStatus.DELIVERED, first)


def test_a_delivery_that_fails_for_good_is_owed_back_and_taken_away(shop: Shop) -> None:
    """What may have been made is removed, and held until its absence is verified (invariant I5)."""
    order_id = shop.place_paid()
    assert fail(shop, order_id)
    assert (shop.order(order_id).status, shop.order(order_id).closed_reason) == (
        OrderStatus.REFUND_DUE,
        "the node is gone",
    )
    assert (shop.refund(order_id).amount_cents, shop.refund(order_id).reason) == (PRICE, "the node is gone")
    assert shop.workload(order_id).status is WorkloadStatus.CANCELLING
    assert [operation.kind for operation in shop.operations(order_id)] == [OperationKind.DESTROY]
    assert shop.held(order_id) == EVERYTHING


def test_failing_twice_owes_once(shop: Shop) -> None:
    """A second report finds the order closed already."""
    order_id = shop.place_paid()
    assert fail(shop, order_id)
    assert not fail(shop, order_id)
    assert len(shop.all(Refund)) == 1


def test_an_unpaid_order_cannot_be_cancelled(shop: Shop) -> None:
    """Letting its page expire is enough."""
    order_id = shop.place()
    with pytest.raises(Conflict, match="not paid for"):
        cancel(shop, order_id)


def test_cancelling_before_delivery_owes_the_money_back(shop: Shop) -> None:
    """Nothing was delivered."""
    order_id = shop.place_paid()
    assert cancel(shop, order_id)
    assert shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert shop.workload(order_id).desired_absent is True


def test_cancelling_after_delivery_keeps_the_money(shop: Shop) -> None:
    """It was delivered and used."""
    order_id = shop.place_paid()
    deliver(shop, order_id)
    assert cancel(shop, order_id)
    assert shop.order(order_id).status is OrderStatus.DELIVERED
    assert shop.workload(order_id).status is WorkloadStatus.CANCELLING
    assert shop.all(Refund) == []


def test_cancelling_twice_is_cancelling_once(shop: Shop) -> None:
    """The second click meets the first one's operation."""
    order_id = shop.place_paid()
    deliver(shop, order_id)
    assert at_once([partial(cancel, shop, order_id)] * 4) == [True] * 4
    assert len(shop.operations(order_id)) == 1
    assert shop.history(order_id).count("cancelling") == 1


def test_cancelling_an_expired_order_is_nothing_to_do(shop: Shop) -> None:
    """It is gone already."""
    order_id = shop.place()
    expire(shop, order_id)
    assert not cancel(shop, order_id)


def test_a_refund_made_at_stripe_takes_a_delivered_workload_away(shop: Shop) -> None:
    """Whoever gave the money back; the ledger ends at zero."""
    order_id = shop.place_paid()
    deliver(shop, order_id)
    assert refund(shop, order_id)
    assert (shop.order(order_id).status, shop.order(order_id).closed_reason) == (OrderStatus.REFUNDED, "refunded")
    assert shop.workload(order_id).status is WorkloadStatus.CANCELLING
    assert (shop.ledger(order_id), shop.balance()) == ({EntryKind.PAYMENT: PRICE, EntryKind.REFUND: -PRICE}, 0)


def test_a_refund_during_provisioning_ends_in_a_removal(shop: Shop) -> None:
    """The queued operation becomes the removal; there are never two (F30)."""
    order_id = shop.place_paid()
    assert refund(shop, order_id)
    assert [operation.kind for operation in shop.operations(order_id)] == [OperationKind.DESTROY]
    deliver(shop, order_id)
    assert shop.order(order_id).status is OrderStatus.REFUNDED


def test_a_refund_is_booked_once_however_often_it_is_told(shop: Shop) -> None:
    """By our own call and by Stripe's event, at once."""
    order_id = shop.place_paid()
    fail(shop, order_id)
    at_once([partial(refund, shop, order_id)] * 8)
    assert (shop.order(order_id).status, shop.balance()) == (OrderStatus.REFUNDED, 0)
    assert len(shop.all(LedgerEntry)) == 2
    assert len(shop.operations(order_id)) == 1


def test_a_refund_of_a_late_payment_needs_no_removal(shop: Shop) -> None:
    """There is nothing."""
    order_id = shop.place()
    expire(shop, order_id)
    pay(shop, order_id)
    assert not refund(shop, order_id)
    assert (shop.order(order_id).status, shop.balance()) == (OrderStatus.REFUNDED, 0)


def test_an_unknown_order_is_not_found(shop: Shop) -> None:
    """Rather than an error of ours."""
    with pytest.raises(NotFound):
        shop.change(lambda session: lock_order(session, UUID(int=0)))


VERBS = {"pay": pay, "expire": expire, "deliver": deliver, "fail": fail, "cancel": cancel, "refund": refund}


@pytest.fixture
def roomy_shop(empty_shop: Shop) -> Shop:
    """Return a shop with room for all the orders of all the examples."""
    empty_shop.stock(estate(nodes=[node_for(250)]))
    return empty_shop


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["pay", "expire", "deliver", "fail", "cancel"]), max_size=7))
def test_no_sequence_of_events_breaks_the_promise(roomy_shop: Shop, events: list[str]) -> None:
    """Whatever happens in whatever order, the books and the order agree (invariants I1, I4, I6)."""
    order_id = roomy_shop.place()
    for event in events:
        try:
            VERBS[event](roomy_shop, order_id)
        except Conflict:
            assert event == "cancel"
    check_promise(roomy_shop, roomy_shop.order(order_id))
    if roomy_shop.order(order_id).status is OrderStatus.REFUND_DUE:
        refund_of_this = f"re_{order_id.hex}"
        roomy_shop.fulfil(order_id, lambda fulfilment, order: fulfilment.refunded(order, refund_of_this, PRICE))
        assert sum(roomy_shop.ledger(order_id).values()) == 0
        check_promise(roomy_shop, roomy_shop.order(order_id))


def check_promise(shop: Shop, order: Order) -> None:
    """Assert that an order's status, money and workload fit together."""
    ledger, workload, held = shop.ledger(order.id), shop.workload(order.id), shop.held(order.id)
    has_paid = EntryKind.PAYMENT in ledger
    assert has_paid == (order.status not in {OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED})
    assert (EntryKind.REFUND in ledger) == (order.status is OrderStatus.REFUNDED)
    assert held == (NOTHING if workload.status is WorkloadStatus.DELETED else EVERYTHING)
    active = [row for row in shop.operations(order.id) if row.status is OperationStatus.QUEUED]
    assert len(active) == (workload.status in {WorkloadStatus.QUEUED, WorkloadStatus.CANCELLING})
    if order.status in {OrderStatus.REFUND_DUE, OrderStatus.REFUNDED, OrderStatus.EXPIRED}:
        assert workload.status in {WorkloadStatus.CANCELLING, WorkloadStatus.DELETED}
