"""Failures by name, on real PostgreSQL and Redis with a fake engine; the checker's promises hold after each."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
from redis import Redis
from sqlalchemy import select

from api.alerts.models import Alert, AlertKind
from api.jobs import CeleryJobQueue, Job, make_celery
from api.operations.leases import due_operations
from api.operations.models import OperationStatus
from api.orders.models import Order, OrderStatus
from api.workloads.models import WorkloadStatus
from automation.engine.contract import EngineAction, EngineFailure, EngineOutcome, EngineResult
from automation.services import WorkerServices
from automation.tasks.operations import sweep
from tests.fakes.engine import FakeEngine, FakeRun
from tests.fakes.state import FakeStateStore
from tests.fixtures.operations import POLICY
from tests.fixtures.promises import checker
from tests.fixtures.runner import GuestsOfEngine, RunnerRig
from tests.fixtures.shop import EVERYTHING, NOTHING
from tests.races import at_once


@pytest.fixture
def rig(runner_rig: RunnerRig) -> Iterator[RunnerRig]:
    """Return a worker's runner in a stocked shop, whose promises hold in the end."""
    yield runner_rig
    assert checker(runner_rig).check() == []


def _alerts(rig: RunnerRig) -> list[tuple[AlertKind, str]]:
    open_ones = select(Alert).where(Alert.resolved_at.is_(None))
    return rig.desk.shop.change(
        lambda session: [(alert.kind, alert.subject_id) for alert in session.scalars(open_ones)]
    )


def _work_off(rig: RunnerRig, owner: str = "worker-1") -> None:
    """Carry out what is due until nothing is."""
    while due := rig.desk.shop.change(lambda session: due_operations(session, 2)):
        for operation_id in due:
            rig.runner(owner).run(operation_id)


def test_stop_start_and_cancel_at_once_end_as_the_last_accepted_wish(rig: RunnerRig) -> None:
    """F12: customer and billing want different things of one stack at once: one at a time, and the last one stands."""
    order_id = rig.delivered()
    wishes: list[Callable[[], object]] = [
        lambda: rig.desk.power(order_id, started=False),
        lambda: rig.desk.power(order_id, started=True),
        lambda: rig.desk.cancel(order_id),
        lambda: rig.desk.power(order_id, started=False),
    ]
    rig.desk.power(order_id, started=False)
    with rig.at_work(order_id) as (gate, work):
        at_once(wishes)
        gate.open()
        work.result()
    _work_off(rig)
    assert rig.desk.shop.workload(order_id).status is WorkloadStatus.DELETED
    assert rig.engine.stacks == {}
    assert rig.desk.shop.held(order_id) == NOTHING


def test_a_removal_that_fails_half_way_for_ever_holds_its_addresses_and_calls_somebody(rig: RunnerRig) -> None:
    """F13: tried again with a growing wait, then parked with an alert; capacity and addresses stay held."""
    order_id = rig.delivered()
    rig.desk.cancel(order_id)
    waits = []
    for _ in range(POLICY.attempts):
        rig.engine.fail_next("provider_unavailable", retryable=True)
        rig.run(order_id)
        waits.append(rig.desk.latest(order_id).next_attempt_at)
    workload = rig.desk.shop.workload(order_id)
    assert waits[0] < waits[1]
    assert (workload.status, rig.desk.kinds(order_id)[-1]) == (WorkloadStatus.NEEDS_ATTENTION, ("destroy", "failed"))
    assert rig.desk.shop.held(order_id) == EVERYTHING
    assert (AlertKind.NEEDS_ATTENTION, str(workload.id)) in _alerts(rig)
    rig.desk.cancel(order_id)
    rig.run(order_id)
    assert rig.desk.shop.held(order_id) == NOTHING
    assert _alerts(rig) == []


def test_a_redelivered_task_finds_its_operation_at_work_and_goes_home(rig: RunnerRig) -> None:
    """F19: the broker sends a message again after its visibility timeout, to several workers: no second engine."""
    order_id = rig.desk.shop.place_paid()
    with rig.at_work(order_id) as (gate, work):
        operation_id = rig.desk.latest(order_id).id
        copies = at_once([partial(rig.runner(name).run, operation_id) for name in ("a", "b", "c", "d")])
        gate.open()
        assert work.result()
    assert copies == [False] * 4
    assert (len(rig.engine.runs), rig.desk.latest(order_id).fence) == (1, 1)


def test_a_task_that_kills_its_workers_is_parked_with_an_alert(rig: RunnerRig) -> None:
    """F20: found again by the sweep after each death, and after the last one not begun any more."""
    order_id = rig.delivered()
    rig.desk.power(order_id, started=False)
    for number in range(POLICY.attempts):
        rig.desk.make_due(rig.desk.latest(order_id).id)
        rig.desk.lapse(rig.desk.begun(order_id, f"dead-worker-{number}").operation_id)
        assert rig.desk.due() == [rig.desk.latest(order_id).id]
    rig.runner("worker-2").run(rig.desk.latest(order_id).id)
    workload = rig.desk.shop.workload(order_id)
    assert (rig.desk.latest(order_id).status, rig.desk.latest(order_id).error_code) == (
        OperationStatus.FAILED,
        "attempts_exhausted",
    )
    assert workload.status is WorkloadStatus.NEEDS_ATTENTION
    assert (AlertKind.NEEDS_ATTENTION, str(workload.id)) in _alerts(rig)
    assert rig.desk.due() == []


def test_a_preview_that_was_cut_off_while_it_made_the_stack_is_tidied_up_after(rig: RunnerRig) -> None:
    """F2: making a stack takes its lock, so such a preview is on record, and a recovery comes next."""
    order_id = rig.desk.shop.place_paid()
    rig.engine.fail_next_preview("engine_killed", retryable=True)
    rig.run(order_id)
    record = rig.desk.latest(order_id).engine
    assert record is not None
    assert (record["goal"], record["ended"]) == ("preview", True)
    rig.run(order_id)
    assert rig.engine.recovered == [rig.desk.shop.workload(order_id).stack]
    assert (rig.desk.shop.order(order_id).status, len(rig.engine.runs)) == (OrderStatus.DELIVERED, 1)


def test_a_preview_of_a_stack_that_is_there_needs_no_tidying_up(rig: RunnerRig) -> None:
    """F2: it holds no lock and changes nothing, however it ends."""
    order_id = rig.delivered()
    rig.desk.power(order_id, started=False)
    rig.engine.fail_next_preview("engine_killed", retryable=True)
    rig.run(order_id)
    assert rig.desk.latest(order_id).engine is None
    rig.run(order_id)
    assert rig.engine.recovered == []
    assert rig.desk.shop.workload(order_id).status is WorkloadStatus.STOPPED


class BusyStorage(FakeEngine):
    """A node whose storage can be cloned from by two at once: a third is told that the file is locked.

    Attributes:
        refused: how many were told so.
    """

    def __init__(self) -> None:
        super().__init__()
        self._clones = threading.Semaphore(2)
        self.refused = 0

    def perform(self, run: FakeRun, poll: Callable[[], bool]) -> EngineResult:
        """Carry a run out, if the storage is free."""
        if run.job.action is not EngineAction.UP or run.is_recovery:
            return super().perform(run, poll)
        if not self._clones.acquire(blocking=False):
            self.refused += 1
            failure = EngineFailure("proxmox_locked", "can't lock file: got timeout", retryable=True)
            return EngineResult(EngineOutcome.FAILED, failure=failure)
        try:
            return super().perform(run, poll)
        finally:
            self._clones.release()


def test_ten_clones_at_once_are_made_two_by_two(runner_rig: RunnerRig) -> None:
    """F34: no more workers go to a node than its storage can take, so no clone is refused, and all are delivered."""
    engine = BusyStorage()
    rig = replace(runner_rig, engine=engine, guests=GuestsOfEngine(engine), states=FakeStateStore(engine))
    orders = [rig.desk.shop.place_paid() for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: _work_off(rig, f"worker-{number}"), range(10)))
    assert engine.refused == 0
    assert Counter(rig.desk.shop.order(order_id).status for order_id in orders) == {OrderStatus.DELIVERED: 10}
    assert checker(rig).check() == []


def test_clones_that_are_refused_by_a_lock_all_the_same_are_made_later(runner_rig: RunnerRig) -> None:
    """F34: somebody else clones on the node too: the operation waits and is tried again, without a second guest."""
    engine = BusyStorage()
    rig = replace(runner_rig, engine=engine, guests=GuestsOfEngine(engine), states=FakeStateStore(engine))
    order_id = rig.desk.shop.place_paid()
    engine._clones.acquire()
    engine._clones.acquire()
    rig.run(order_id)
    assert (rig.desk.latest(order_id).status, rig.desk.latest(order_id).error_code) == ("queued", "proxmox_locked")
    engine._clones.release(2)
    rig.run(order_id)
    assert rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert checker(rig).check() == []


class TestBroker:
    def test_a_redis_that_is_full_loses_no_order(self, rig: RunnerRig, services: WorkerServices, redis: Redis) -> None:
        """F18: it refuses every write; the hint is lost, the order is not."""
        redis.config_set("maxmemory", "1")
        try:
            _bought(rig, _address(redis))
        finally:
            redis.config_set("maxmemory", "0")
        assert redis.dbsize() == 0
        _swept(rig, services)

    def test_a_redis_that_is_down_loses_no_order(self, rig: RunnerRig, services: WorkerServices) -> None:
        """F18: nobody listens at its address."""
        _bought(rig, "redis://127.0.0.1:1/0")
        _swept(rig, services)

    def test_a_redis_that_was_flushed_loses_no_order(
        self, rig: RunnerRig, services: WorkerServices, redis: Redis
    ) -> None:
        """F18: every message is gone."""
        _bought(rig, _address(redis))
        assert redis.llen("slipway")
        redis.flushall()
        _swept(rig, services)


def _address(redis: Redis) -> str:
    return f"unix://{redis.connection_pool.connection_kwargs['path']}"


def _bought(rig: RunnerRig, broker: str) -> None:
    """Have a customer pay while the hints go to the broker at an address."""
    order_id = rig.desk.shop.place_paid()
    with make_celery(broker) as app:
        CeleryJobQueue(app).enqueue(Job.RUN_OPERATION, rig.desk.latest(order_id).id)
    rig.desk.shop.jobs.sent.clear()


def _swept(rig: RunnerRig, services: WorkerServices) -> None:
    """Have the sweep find what is due, and a worker do it."""
    sweep(services)
    for (operation_id,) in rig.desk.shop.jobs.of(Job.RUN_OPERATION):
        rig.runner().run(UUID(str(operation_id)))
    assert {operation.status for order in _orders(rig) for operation in rig.desk.shop.operations(order)} == {
        OperationStatus.SUCCEEDED
    }


def _orders(rig: RunnerRig) -> list[UUID]:
    return [order.id for order in rig.desk.shop.all(Order)]
