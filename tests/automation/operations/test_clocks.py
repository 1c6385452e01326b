"""A worker's clock is ten minutes off, or leaps by ten minutes: the database's clock says whose a lease is."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from tests.fixtures.promises import checker
from tests.fixtures.runner import RunnerRig

_TEN_MINUTES = 600.0


@dataclass
class WrongClock:
    """Runs as fast as any other, and is off by so many seconds."""

    off: float = 0.0

    def __call__(self) -> float:
        """Return the time that it shows."""
        return time.monotonic() + self.off


@pytest.mark.parametrize("off", [-_TEN_MINUTES, _TEN_MINUTES])
def test_a_clock_ten_minutes_off_costs_nothing(runner_rig: RunnerRig, off: float) -> None:
    """F24: a worker with such a clock gets leases, keeps them, and delivers."""
    order_id = runner_rig.desk.shop.place_paid()
    operation_id = runner_rig.desk.latest(order_id).id
    assert replace(runner_rig.runner(), clock=WrongClock(off)).run(operation_id)
    assert runner_rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert checker(runner_rig).check() == []


@pytest.mark.parametrize("off", [-_TEN_MINUTES, _TEN_MINUTES])
def test_a_clock_ten_minutes_off_takes_no_lease_from_anybody(runner_rig: RunnerRig, off: float) -> None:
    """F24: whose lease has lapsed is no question of the asking worker's clock."""
    order_id = runner_rig.desk.shop.place_paid()
    with runner_rig.at_work(order_id) as (gate, work):
        operation_id = runner_rig.desk.latest(order_id).id
        assert replace(runner_rig.runner("worker-2"), clock=WrongClock(off)).run(operation_id) is False
        gate.open()
        assert work.result()
    assert (len(runner_rig.engine.runs), runner_rig.desk.latest(order_id).fence) == (1, 1)


def test_a_clock_that_leaps_ahead_makes_a_worker_give_its_lease_up(runner_rig: RunnerRig) -> None:
    """F24: as after a machine's sleep: it cannot know who has the lease by now, stops its engine and writes nothing."""
    clock = WrongClock()
    order_id = runner_rig.desk.shop.place_paid()
    operation_id = runner_rig.desk.latest(order_id).id
    gate = runner_rig.engine.hold()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(replace(runner_rig.runner(), clock=clock).run, operation_id)
        assert gate.started.wait(30)
        runner_rig.engine.release()
        clock.off = _TEN_MINUTES
        assert work.result(60)
    operation = runner_rig.desk.latest(order_id)
    assert (operation.status, operation.finished_at) == (OperationStatus.RUNNING, None)
    runner_rig.desk.lapse(operation_id)
    assert runner_rig.runner("worker-2").run(operation_id)
    assert runner_rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert checker(runner_rig).check() == []


def test_a_clock_that_falls_back_does_not_make_a_result_count(runner_rig: RunnerRig) -> None:
    """F24: the worker believes in its lease for ten minutes too long; the database knows who has it."""
    clock = WrongClock()
    order_id = runner_rig.desk.shop.place_paid()
    operation_id = runner_rig.desk.latest(order_id).id
    gate = runner_rig.engine.hold()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(replace(runner_rig.runner(), clock=clock).run, operation_id)
        assert gate.started.wait(30)
        runner_rig.engine.release()
        clock.off = -_TEN_MINUTES
        runner_rig.desk.take_over(operation_id)
        gate.open()
        assert work.result(60)
    operation = runner_rig.desk.latest(order_id)
    assert (operation.status, operation.lease_owner, operation.fence) == (OperationStatus.RUNNING, "worker-2", 2)
    assert runner_rig.desk.shop.order(order_id).status is OrderStatus.PAID
