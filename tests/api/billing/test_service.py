"""What Stripe's events come to: the same end whatever order, number or company they come in."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import permutations
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, update

from api.billing.gateway import CheckoutSession
from api.billing.models import Checkout, EntryKind, LedgerEntry, StripeEvent
from api.errors import PaymentsUnavailable
from api.jobs import Job
from api.orders.models import OrderStatus
from tests.fakes.payments import FakePayments
from tests.fixtures.shop import EVERYTHING, NOTHING, Shop
from tests.races import PATIENCE_SECONDS, at_once

PRICE = 450
COMPLETED, EXPIRED = "checkout.session.completed", "checkout.session.expired"
LONG_AGO = func.now() - timedelta(hours=1)


def session_of(order_id: UUID) -> dict[str, Any]:
    """Return the object of a checkout event: its body says nothing that we believe."""
    return {
        "id": f"cs_test_{order_id.hex}",
        "object": "checkout.session",
        "payment_status": "unpaid",
        "amount_total": 1,
    }


def status_of(shop: Shop, order_id: UUID) -> OrderStatus:
    """Return an order's status."""
    return shop.order(order_id).status


def test_a_payment_s_event_makes_the_order_paid_and_sends_its_operation(shop: Shop) -> None:
    """The hint goes out after the commit, with the operation's id and nothing else."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    assert shop.hear(COMPLETED, session_of(order_id)) == "paid: the order is paid"
    (operation,) = shop.operations(order_id)
    assert shop.jobs.of(Job.RUN_OPERATION) == [(operation.id,)]


def test_the_event_s_own_word_is_not_believed(shop: Shop) -> None:
    """A body that claims "paid" for an open page changes nothing: Stripe is asked."""
    order_id = shop.place()
    claim = session_of(order_id) | {"payment_status": "paid", "status": "complete", "amount_total": PRICE}
    assert shop.hear(COMPLETED, claim) == "open"
    assert status_of(shop, order_id) is OrderStatus.PENDING_PAYMENT


def test_an_event_is_applied_once(shop: Shop) -> None:
    """The second task finds it done."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    event_id = shop.receive(COMPLETED, session_of(order_id))
    assert shop.billing.apply_event(event_id) == "paid: the order is paid"
    assert shop.billing.apply_event(event_id) is None
    assert len(shop.operations(order_id)) == 1


def test_an_unknown_event_id_is_nothing_to_do(shop: Shop) -> None:
    """A task from before a restore, for example."""
    assert shop.billing.apply_event("evt_none") is None


def test_fifty_workers_apply_one_event_once(shop: Shop) -> None:
    """One ledger entry, one operation, one hint (F25, invariant I4)."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    event_id = shop.receive(COMPLETED, session_of(order_id))
    at_once([partial(shop.billing.apply_event, event_id)] * 50)
    assert len(shop.all(LedgerEntry)) == len(shop.operations(order_id)) == len(shop.jobs.of(Job.RUN_OPERATION)) == 1
    assert shop.event(event_id).outcome == "paid: the order is paid"


class MeetingPayments(FakePayments):
    """Lets everybody who asks about a checkout wait until as many have asked as the barrier wants."""

    meeting: Barrier | None = None

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Fetch a checkout, then wait for the others."""
        found = super().get_checkout(session_id)
        if self.meeting is not None:
            self.meeting.wait()
        return found


def test_webhook_and_reconcile_at_the_same_time_pay_once(shop: Shop) -> None:
    """Both have Stripe's "paid" in hand before either writes: one ledger entry, one operation (F25)."""
    payments = MeetingPayments()
    shop.payments = payments
    order_id = shop.place()
    payments.pay(order_id)
    event_id = shop.receive(COMPLETED, session_of(order_id))
    payments.meeting = Barrier(3, timeout=PATIENCE_SECONDS)
    reconcile = partial(shop.billing.check_order, order_id)
    answers = at_once([partial(shop.billing.apply_event, event_id), reconcile, reconcile])
    assert answers == ["paid: the order is paid"] * 3
    assert len(shop.all(LedgerEntry)) == len(shop.operations(order_id)) == len(shop.jobs.of(Job.RUN_OPERATION)) == 1


def test_reconcile_finds_the_payment_whose_webhook_never_came(shop: Shop) -> None:
    """Unpaid orders are asked about; the answer counts like an event (F28)."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    assert shop.billing.unpaid_orders(timedelta(0)) == [order_id]
    assert shop.billing.check_order(order_id) == "paid: the order is paid"
    assert len(shop.jobs.of(Job.RUN_OPERATION)) == 1
    assert shop.billing.unpaid_orders(timedelta(0)) == []


def test_reconcile_asks_about_an_order_no_oftener_than_it_should(shop: Shop) -> None:
    """Stripe's rate limit is shared with the customers."""
    order_id = shop.place()
    assert shop.billing.unpaid_orders(timedelta(minutes=5)) == []
    shop.change(lambda session: session.execute(update(Checkout).values(created_at=LONG_AGO)))
    assert shop.billing.unpaid_orders(timedelta(minutes=5)) == [order_id]
    assert shop.billing.unpaid_orders(timedelta(minutes=5)) == []


def test_several_reconcilers_share_the_orders(shop: Shop) -> None:
    """Each order is asked about once."""
    orders = {shop.place() for _ in range(12)}
    shop.change(lambda session: session.execute(update(Checkout).values(created_at=LONG_AGO)))
    found = at_once([partial(shop.billing.unpaid_orders, timedelta(minutes=5), 4)] * 4)
    taken = [order for share in found if isinstance(share, list) for order in share]
    assert len(taken) == len(set(taken))
    assert set(taken) <= orders


def test_an_open_page_stays_open(shop: Shop) -> None:
    """The customer is still looking for the card."""
    order_id = shop.place()
    assert shop.billing.check_order(order_id) == "open"
    assert (status_of(shop, order_id), shop.held(order_id)) == (OrderStatus.PENDING_PAYMENT, EVERYTHING)


def test_stripe_s_word_ends_an_unpaid_order(shop: Shop) -> None:
    """By event or by asking: everything held comes back."""
    by_event, by_asking = shop.place(), shop.place()
    shop.payments.expire(by_event)
    shop.payments.expire(by_asking)
    assert shop.hear(EXPIRED, session_of(by_event)) == "expired"
    assert shop.billing.check_order(by_asking) == "expired"
    for order_id in (by_event, by_asking):
        assert (status_of(shop, order_id), shop.held(order_id)) == (OrderStatus.EXPIRED, NOTHING)


def test_time_alone_does_not_end_an_order_that_has_a_page(shop: Shop) -> None:
    """It may have been paid in the last second: only Stripe knows."""
    order_id = shop.place()
    shop.change(lambda session: session.execute(update(Checkout).values(expires_at=LONG_AGO)))
    assert shop.billing.check_order(order_id) == "open"
    assert shop.held(order_id) == EVERYTHING


def test_an_order_that_never_got_its_page_ends_by_time(shop: Shop) -> None:
    """Nobody can have paid it; before its time, it may still get one."""
    shop.payments.is_reachable = False
    owner = shop.customer()
    with pytest.raises(PaymentsUnavailable):
        shop.place(owner)
    (order_id,) = shop.billing.unpaid_orders(timedelta(0))
    assert shop.billing.check_order(order_id) == "open"
    shop.change(lambda session: session.execute(update(Checkout).values(expires_at=func.now())))
    assert shop.billing.check_order(order_id) == "expired: its payment page was never made"
    assert (status_of(shop, order_id), shop.held(order_id)) == (OrderStatus.EXPIRED, NOTHING)


@pytest.mark.parametrize("order_of_events", list(permutations([COMPLETED, EXPIRED, COMPLETED], 3))[:3])
def test_completed_after_expired_and_twice_is_paid(shop: Shop, order_of_events: tuple[str, ...]) -> None:
    """A stray "expired" of a page that was paid: the page itself is asked, whatever the event is called (F26)."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    for kind in order_of_events:
        shop.hear(kind, session_of(order_id))
    assert status_of(shop, order_id) is OrderStatus.PAID
    assert shop.ledger(order_id) == {EntryKind.PAYMENT: PRICE}


def test_a_payment_in_the_moment_of_expiry_is_paid_back(shop: Shop) -> None:
    """Expired here, paid at Stripe: owed, then refunded, once; nothing is delivered."""
    order_id = shop.place()
    shop.payments.expire(order_id)
    shop.hear(EXPIRED, session_of(order_id))
    shop.payments.pay(order_id)
    assert shop.hear(COMPLETED, session_of(order_id)) == "paid: the order is refund_due"
    assert shop.jobs.of(Job.PAY_REFUNDS) == [()]
    assert shop.billing.pay_refunds() == 1
    assert (shop.payments.refunds, shop.balance()) == ({order_id: PRICE}, 0)
    assert (status_of(shop, order_id), shop.operations(order_id)) == (OrderStatus.REFUNDED, [])


def test_another_amount_is_paid_back_whole(shop: Shop) -> None:
    """What was paid goes back, not what it should have been (F31)."""
    order_id = shop.place()
    shop.payments.pay(order_id, amount_cents=1)
    assert shop.hear(COMPLETED, session_of(order_id)) == "paid: the order is refund_due"
    assert shop.billing.pay_refunds() == 1
    assert (shop.payments.refunds, shop.balance()) == ({order_id: 1}, 0)


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        ({}, "ignored: the event names no checkout session"),
        ({"id": 7}, "ignored: the event names no checkout session"),
        ({"id": "cs_test_of_another_account"}, "ignored: Stripe knows no such checkout session"),
        ({"id": "../../v1/customers"}, "ignored: Stripe knows no such checkout session"),
    ],
)
def test_an_event_about_an_unknown_session_is_ignored_and_done(
    shop: Shop, subject: dict[str, Any], outcome: str
) -> None:
    """Another account's, or none at all: it is kept, and not looked at again."""
    event_id = shop.receive(COMPLETED, subject)
    assert shop.billing.apply_event(event_id) == outcome
    assert shop.billing.due_events(timedelta(0)) == []


class ForeignPayments(FakePayments):
    """Answers every question with one session."""

    def __init__(self, session: CheckoutSession) -> None:
        super().__init__()
        self._session = session

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Return the session, under the id that was asked for."""
        return replace(self._session, id=session_id)


def test_a_session_of_another_shop_in_the_account_is_ignored(shop: Shop) -> None:
    """One Stripe account may serve several: theirs carries no order, or one we never placed."""
    order_id = shop.place()
    ours = shop.payments.pay(order_id)
    for stranger in (None, uuid4()):
        foreign = CheckoutSession("cs_x", stranger, ours.state, None, PRICE, "eur", "pi_x")
        shop.payments = ForeignPayments(foreign)
        assert str(shop.hear(COMPLETED, {"id": "cs_x"})).startswith("ignored: ")
    assert shop.all(LedgerEntry) == []


def test_another_page_for_our_order_does_not_count(shop: Shop) -> None:
    """Only the page that we made for it; above all, another page's end does not end the order."""
    order_id = shop.place()
    page = shop.payments.expire(order_id)
    shop.payments = ForeignPayments(CheckoutSession("cs_x", order_id, page.state, None, PRICE, "eur", None))
    assert shop.hear(EXPIRED, {"id": "cs_x"}) == "ignored: not the payment page of this order"
    assert (status_of(shop, order_id), shop.held(order_id)) == (OrderStatus.PENDING_PAYMENT, EVERYTHING)


def test_a_webhook_can_be_faster_than_our_own_note_of_the_page(shop: Shop) -> None:
    """Paid before created: the session names its order, so it is adopted (F26)."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    shop.change(lambda session: session.execute(update(Checkout).values(session_id=None, url=None)))
    assert shop.hear(COMPLETED, session_of(order_id)) == "paid: the order is paid"
    assert shop.checkout(order_id).session_id == f"cs_test_{order_id.hex}"


def test_one_unknown_checkout_does_not_stop_reconciliation(shop: Shop) -> None:
    """The account was changed, say: the order stays visible and the next one is asked about."""
    order_id = shop.place()
    shop.change(lambda session: session.execute(update(Checkout).values(session_id="cs_gone")))
    assert shop.billing.check_order(order_id).startswith("unknown at Stripe")
    assert shop.held(order_id) == EVERYTHING


def test_an_event_waits_while_stripe_is_away(shop: Shop) -> None:
    """It stays due, and is applied when Stripe is back."""
    order_id = shop.place()
    shop.payments.pay(order_id)
    event_id = shop.receive(COMPLETED, session_of(order_id))
    shop.payments.is_reachable = False
    with pytest.raises(PaymentsUnavailable):
        shop.billing.apply_event(event_id)
    assert shop.billing.due_events(timedelta(0)) == [event_id]
    shop.payments.is_reachable = True
    assert shop.billing.apply_event(event_id) == "paid: the order is paid"
    assert shop.event(event_id).attempts == 2


def test_the_sweep_leaves_fresh_events_to_their_own_task(shop: Shop) -> None:
    """Its hint is probably on its way."""
    event_id = shop.receive(COMPLETED, {"id": "cs_x"})
    assert shop.billing.due_events(timedelta(minutes=1)) == []
    shop.change(lambda session: session.execute(update(StripeEvent).values(received_at=LONG_AGO)))
    assert shop.billing.due_events(timedelta(minutes=1)) == [event_id]


def test_events_that_cannot_be_applied_hold_up_no_others(shop: Shop) -> None:
    """A sweep takes those first that were tried least."""
    stuck = [shop.receive(COMPLETED, {"id": "cs_x"}) for _ in range(3)]
    shop.payments.is_reachable = False
    for event_id in stuck:
        with pytest.raises(PaymentsUnavailable):
            shop.billing.apply_event(event_id)
    fresh = shop.receive(COMPLETED, {"id": "cs_y"})
    assert shop.billing.due_events(timedelta(0), limit=1) == [fresh]
