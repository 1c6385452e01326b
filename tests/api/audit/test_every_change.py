"""I13: every change of state has an audit record, through the whole lives of orders that end in every way."""

from uuid import UUID

import psycopg
import pytest

from api.alerts.models import Alert
from api.audit.verify import verify
from api.operations.cause import Cause
from api.operations.stopping import OperationStopper
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from tests.fixtures.operations import Desk
from tests.fixtures.plans import PlanDesk
from tests.fixtures.recorded import unrecorded
from tests.fixtures.runner import RunnerRig
from tests.fixtures.shop import LIFETIME_SECONDS, Shop
from tests.fixtures.trail import actions, records


def told(shop: Shop) -> list[str]:
    """Return what is missing in the trail, which must be whole besides."""
    assert verify(shop.database).is_whole
    return shop.change(unrecorded)


def test_a_whole_life_is_recorded(runner_rig: RunnerRig) -> None:
    """Placed, paid, delivered, stopped, started, cancelled, gone: each step, and by whom."""
    shop, desk = runner_rig.desk.shop, runner_rig.desk
    order_id = runner_rig.delivered()
    owner = shop.order(order_id).owner_id
    cause = Cause("the owner asked", by=owner)
    desk.verb(order_id, lambda service, workload: service.set_power(workload, started=False, cause=cause))
    assert runner_rig.run(order_id)
    desk.verb(order_id, lambda service, workload: service.set_power(workload, started=True, cause=cause))
    assert runner_rig.run(order_id)
    shop.fulfil(order_id, lambda fulfilment, order: fulfilment.cancel(order, "no longer needed", by=owner))
    assert runner_rig.run(order_id)
    assert shop.workload(order_id).status is WorkloadStatus.DELETED
    assert told(shop) == []
    asked = [one.action for one in records(shop.database) if one.actor_id == owner and one.actor_name == "customer"]
    assert asked.count("workload.change") == 2
    assert {"order.place", "order.status", "workload.status", "operation.schedule"} <= set(asked)


def test_an_order_takes_the_chains_lock_five_times(runner_rig: RunnerRig) -> None:
    """Placed, paid, begun, planned, delivered: each such transaction costs two statements, and shares one moment."""
    runner_rig.delivered()
    found = [one for one in records(runner_rig.desk.shop.database) if one.subject_type not in {"catalogue", "estate"}]
    assert len({one.at for one in found}) == 5
    assert len(found) <= 15


def test_orders_that_come_to_nothing_are_recorded(shop: Shop) -> None:
    """One that is not paid in time, one that is paid too late, and one that is paid wrongly: the money's way too."""
    unpaid, late, wrong = shop.place(), shop.place(), shop.place()
    for order_id in (unpaid, late):
        shop.payments.expire(order_id)
        shop.billing.check_order(order_id)
    shop.payments.pay(late)
    shop.billing.check_order(late)
    shop.payments.pay(wrong, amount_cents=1)
    shop.billing.check_order(wrong)
    assert shop.billing.pay_refunds() == 2
    assert [shop.order(order_id).status for order_id in (unpaid, late, wrong)] == [
        OrderStatus.EXPIRED,
        OrderStatus.REFUNDED,
        OrderStatus.REFUNDED,
    ]
    assert told(shop) == []


def test_a_failed_delivery_is_recorded(runner_rig: RunnerRig) -> None:
    """With its reason, its refund, and the way that what was made was taken away."""
    shop, desk = runner_rig.desk.shop, runner_rig.desk
    order_id = shop.place_paid()
    desk.fail(desk.begun(order_id), retryable=False)
    assert runner_rig.run(order_id)
    assert shop.billing.pay_refunds() == 1
    assert shop.workload(order_id).status is WorkloadStatus.DELETED
    ends = [(one.result, one.reason) for one in records(shop.database) if one.action == "operation.end"]
    assert ends[0] == ("failed", "The node is busy.")
    assert told(shop) == []


def test_plans_and_the_words_on_them_are_recorded(plan_desk: PlanDesk) -> None:
    """One is approved, one rejected, one voided because something else is wanted, one expires."""
    shop = plan_desk.rig.desk.shop
    order_id, plan = plan_desk.waiting()
    operator = plan_desk.person()
    plan_desk.approvals.approve(plan.id, operator, plan.hash, "fine")
    assert plan_desk.rig.run(order_id)
    _, refused = plan_desk.waiting()
    plan_desk.approvals.reject(refused.id, operator, "too dear")
    voided, _ = plan_desk.waiting()
    plan_desk.rig.desk.cancel(voided)
    assert told(shop) == []
    words = [(one.action, one.reason, one.actor_id) for one in records(shop.database) if one.action in _WORDS]
    assert words == [("plan.approve", "fine", operator.user_id), ("plan.reject", "too dear", operator.user_id)]


_WORDS = {"plan.approve", "plan.reject"}


def test_an_operation_that_somebody_ends_is_recorded(desk: Desk) -> None:
    """Who asked for its end, and that it ended so."""
    order_id = desk.shop.place_paid()
    cause = Cause("a mistake", by=desk.shop.order(order_id).owner_id)
    operation_id = desk.latest(order_id).id
    desk.shop.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).cancel(operation_id, cause))
    (asked,) = [one for one in records(desk.shop.database) if one.action == "operation.cancel"]
    assert (asked.actor_id, asked.reason, asked.subject_id) == (cause.by, "a mistake", str(operation_id))
    assert told(desk.shop) == []


def test_what_needs_a_person_is_recorded_and_raises_an_alert_until_it_is_well(runner_rig: RunnerRig) -> None:
    """The alert is open while the workload needs attention, and is resolved by the operation that heals it."""
    shop, desk = runner_rig.desk.shop, runner_rig.desk
    order_id = runner_rig.delivered()
    desk.power(order_id, started=False)
    desk.fail(desk.begun(order_id), retryable=False)
    assert shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
    (alert,) = shop.all(Alert)
    assert (alert.subject_id, alert.resolved_at) == (str(shop.workload(order_id).id), None)
    desk.cancel(order_id)
    assert shop.all(Alert)[0].resolved_at is not None
    assert told(shop) == []


@pytest.mark.parametrize(
    "action",
    [
        "order.place",
        "order.status",
        "workload.status",
        "operation.schedule",
        "operation.end",
        "plan.status",
        "ledger.payment",
    ],
)
def test_a_missing_record_would_be_noticed(runner_rig: RunnerRig, database_url: str, action: str) -> None:
    """The comparison above sees each kind: without this, it could be blind."""
    order_id: UUID = runner_rig.delivered()
    database = runner_rig.desk.shop.database
    assert action in actions(database)
    with psycopg.connect(database_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM audit_records WHERE action = %s", [action])
    assert runner_rig.desk.shop.change(unrecorded) != []
    assert runner_rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
