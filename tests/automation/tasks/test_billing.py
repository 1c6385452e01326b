"""Billing's jobs: what they do when Stripe is away."""

from datetime import timedelta

from sqlalchemy import func, update

from api.billing.models import Checkout, Refund
from api.jobs import Job
from api.orders.models import OrderStatus
from automation.services import WorkerServices
from automation.tasks.billing import apply_stripe_event, pay_refunds, reconcile_payments
from tests.fixtures.runner import RunnerRig


def test_an_event_that_stripe_cannot_be_asked_about_stays_due(runner_rig: RunnerRig, services: WorkerServices) -> None:
    """The job ends without an error; the sweep comes back to the event."""
    shop = runner_rig.desk.shop
    order_id = shop.place()
    session_id = shop.payments.pay(order_id).id
    event_id = shop.receive("checkout.session.completed", {"id": session_id})
    shop.payments.is_reachable = False
    apply_stripe_event(services, event_id)
    assert shop.event(event_id).processed_at is None
    shop.payments.is_reachable = True
    apply_stripe_event(services, event_id)
    assert shop.order(order_id).status is OrderStatus.PAID
    assert shop.jobs.of(Job.RUN_OPERATION) == [(runner_rig.desk.latest(order_id).id,)]


def test_a_payment_whose_webhook_never_came_is_found(runner_rig: RunnerRig, services: WorkerServices) -> None:
    """Stripe is asked about unpaid orders; while it is away, nothing is lost."""
    shop = runner_rig.desk.shop
    order_id = shop.place()
    shop.payments.pay(order_id)
    for reachable in (False, True):
        shop.payments.is_reachable = reachable
        long_ago = func.now() - timedelta(hours=1)
        shop.change(lambda session: session.execute(update(Checkout).values(checked_at=long_ago)))  # noqa: B023 - called at once
        reconcile_payments(services)
    assert shop.order(order_id).status is OrderStatus.PAID


def test_a_refund_that_stripe_cannot_make_now_is_made_later_and_once(
    runner_rig: RunnerRig, services: WorkerServices
) -> None:
    """The order stays visibly pending until the money is back."""
    shop = runner_rig.desk.shop
    order_id = shop.place_paid()
    runner_rig.desk.cancel(order_id)
    shop.payments.is_reachable = False
    pay_refunds(services)
    assert shop.order(order_id).status is OrderStatus.REFUND_DUE
    shop.payments.is_reachable = True
    shop.change(lambda session: session.execute(update(Refund).values(next_attempt_at=func.now())))
    pay_refunds(services)
    pay_refunds(services)
    assert shop.order(order_id).status is OrderStatus.REFUNDED
    assert shop.payments.refunds == {order_id: shop.order(order_id).price_cents}
    assert sum(shop.ledger(order_id).values()) == 0
