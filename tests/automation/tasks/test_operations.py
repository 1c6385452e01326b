"""The jobs that find and carry out operations."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.billing.models import StripeEvent
from api.ipam.models import Address, AddressState
from api.jobs import Job
from api.orders.models import OrderStatus
from api.plans.models import PlanStatus
from automation.services import WorkerServices
from automation.tasks.operations import end_quarantine, run_operation, sweep
from tests.fixtures.plans import PlanDesk
from tests.fixtures.runner import RunnerRig


@pytest.fixture
def rig(runner_rig: RunnerRig) -> RunnerRig:
    """Return a worker's runner in a stocked shop."""
    return runner_rig


def test_an_operation_is_carried_out_by_its_id(rig: RunnerRig, services: WorkerServices) -> None:
    """A message holds the id as text, and nothing else."""
    order_id = rig.desk.shop.place_paid()
    run_operation(services, str(rig.desk.latest(order_id).id))
    assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED


def test_a_sweep_finds_all_due_rows_when_every_hint_was_lost(rig: RunnerRig, services: WorkerServices) -> None:
    """Redis was flushed: queued operations, lapsed ones, stored events and refunds are all found by their rows."""
    shop = rig.desk.shop
    queued, lapsed = shop.place_paid(), shop.place_paid()
    rig.desk.lapse(rig.desk.begun(lapsed).operation_id)
    event_id = shop.receive("charge.refunded", {})
    long_ago = func.now() - timedelta(hours=1)
    shop.change(lambda session: session.execute(update(StripeEvent).values(received_at=long_ago)))
    shop.jobs.sent.clear()
    sweep(services)
    operations = [(rig.desk.latest(queued).id,), (rig.desk.latest(lapsed).id,)]
    assert shop.jobs.of(Job.RUN_OPERATION) == operations
    assert shop.jobs.of(Job.APPLY_STRIPE_EVENT) == [(event_id,)]
    assert shop.jobs.of(Job.PAY_REFUNDS) == [()]


def test_what_the_sweep_finds_is_delivered(rig: RunnerRig, services: WorkerServices) -> None:
    """Paid orders whose hints were lost come to their customers all the same."""
    orders = [rig.desk.shop.place_paid() for _ in range(3)]
    rig.desk.shop.jobs.sent.clear()
    sweep(services)
    for (operation_id,) in rig.desk.shop.jobs.of(Job.RUN_OPERATION):
        run_operation(services, str(operation_id))
    assert {rig.desk.shop.order(order_id).status for order_id in orders} == {OrderStatus.DELIVERED}


def test_a_sweep_of_a_quiet_system_enqueues_no_operation(rig: RunnerRig, services: WorkerServices) -> None:
    """What is held, ended or waiting is left alone."""
    rig.delivered()
    rig.desk.begun(rig.desk.shop.place_paid())
    rig.desk.shop.jobs.sent.clear()
    sweep(services)
    assert rig.desk.shop.jobs.of(Job.RUN_OPERATION) == []


def test_addresses_come_back_after_their_rest(rig: RunnerRig, services: WorkerServices) -> None:
    """And not before."""

    def resting() -> int:
        return sum(address.state is AddressState.QUARANTINE for address in rig.desk.shop.all(Address))

    order_id: UUID = rig.delivered()
    rig.desk.cancel(order_id)
    rig.run(order_id)
    end_quarantine(services)
    assert resting() == 2
    rig.desk.shop.change(
        lambda session: session.execute(update(Address).values(free_after=func.now() - timedelta(seconds=1)))
    )
    end_quarantine(services)
    assert resting() == 0


def test_a_sweep_ends_what_waits_beyond_its_time(plan_desk: PlanDesk, services: WorkerServices) -> None:
    """A plan that nobody decided on, and an operation that no worker could begin: both are paid back."""
    shop = plan_desk.rig.desk.shop
    undecided, plan = plan_desk.waiting()
    plan_desk.make_late(plan)
    stuck = shop.place_paid()
    plan_desk.rig.desk.past_deadline(plan_desk.rig.desk.latest(stuck).id)
    shop.jobs.sent.clear()
    sweep(services)
    assert {shop.order(order_id).status for order_id in (undecided, stuck)} == {OrderStatus.REFUND_DUE}
    destroys = [(plan_desk.rig.desk.latest(order_id).id,) for order_id in (undecided, stuck)]
    assert set(destroys) <= set(shop.jobs.of(Job.RUN_OPERATION))
    assert plan_desk.plan(undecided).status is PlanStatus.EXPIRED
