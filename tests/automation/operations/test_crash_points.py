"""A worker dies at its n-th write, commit or engine step, for n = 1, 2, … until nothing is left to die at.

After each death the lease lapses, another worker goes on, and every promise holds. ``--crash-points=all`` tries every
point; without it one of six is tried, another one in each story.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.billing.models import Refund
from api.billing.service import BillingService
from api.operations.leases import due_operations
from api.operations.models import Operation, OperationStatus
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from automation.engine.contract import EngineAction, EngineJob, EngineSecrets
from automation.invariants.world import Violation
from automation.operations.runner import OperationRunner
from tests.factories.estate import estate, ipv4_pools, ipv6_pool, node
from tests.factories.orders import BOT
from tests.fakes.engine import FakeEngine, FakeRun
from tests.fakes.state import FakeStateStore
from tests.fixtures.crash_points import CrashPoints, MortalDatabase, MortalEngine, WorkerKilled
from tests.fixtures.operations import Desk
from tests.fixtures.promises import checker
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.shop import LIFETIME_SECONDS, Shop

_LONG = 100_000.0


class DoomableEngine(FakeEngine):
    """Fails each `up`, however often it is tried, once it is told so."""

    is_doomed = False

    def start(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        """Start a run, doomed or not."""
        if self.is_doomed and job.action is EngineAction.UP:
            self.fail_next("template_missing", retryable=False)
        return super().start(job, secrets)


@dataclass(frozen=True)
class Fleet:
    """Workers, one after the other, on one shop."""

    rig: RunnerRig
    engine: DoomableEngine
    url: str

    def work(self, points: CrashPoints, owner: str) -> None:
        """Do as a worker does until nothing is due.

        Raises:
            WorkerKilled: if it dies of it.
        """
        database = MortalDatabase(self.url, points)
        try:
            shop = self.rig.desk.shop
            billing = BillingService(database, shop.payments, shop.jobs, LIFETIME_SECONDS)
            runner = self._runner(database, points, owner)
            while self._round(database, billing, runner):
                pass
        finally:
            database.close()

    def _round(self, database: MortalDatabase, billing: BillingService, runner: OperationRunner) -> bool:
        events = billing.due_events(timedelta(0))
        for event_id in events:
            billing.apply_event(event_id)
        with database.transaction() as transaction:
            operations = due_operations(transaction.session, creates_per_node=2)
        for operation_id in operations:
            runner.run(operation_id)
        return bool(events or operations or billing.pay_refunds())

    def _runner(self, database: MortalDatabase, points: CrashPoints, owner: str) -> OperationRunner:
        runner = self.rig.runner(owner, lease_seconds=_LONG)
        plans = replace(runner.plans, database=database)
        return replace(runner, database=database, plans=plans, engine=MortalEngine(self.rig.engine, points))

    def time_passes(self) -> None:
        """Let every lease lapse and every wait be over."""
        past = func.now() - timedelta(hours=1)
        running = Operation.status == OperationStatus.RUNNING
        shop = self.rig.desk.shop
        shop.change(lambda session: session.execute(update(Operation).where(running).values(lease_until=past)))
        shop.change(lambda session: session.execute(update(Operation).values(next_attempt_at=past)))
        shop.change(lambda session: session.execute(update(Refund).values(next_attempt_at=past)))

    def power_cut(self) -> None:
        """Let every engine at work die with its worker."""
        for run in (*self.rig.engine.runs, *self.rig.engine.recoveries):
            if run.began and run.alive:
                self.rig.engine.terminate(run.process)

    def broken(self) -> list[Violation]:
        """Return the promises that are broken now."""
        return checker(self.rig).check()


@pytest.fixture
def fleet(empty_shop: Shop, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Return a fleet of mortal workers on a shop with plenty of room."""
    huge = {"cores": 4096, "memory_mib": 4_194_304, "disk_gib": 65_536}
    nodes = [node("bot-1", "bot", **huge)]
    empty_shop.stock(estate(nodes, [*ipv4_pools(1500), ipv6_pool()]))
    engine = DoomableEngine()
    settings = worker_settings(tmp_path_factory.mktemp("work"))
    states = FakeStateStore(engine)
    rig = RunnerRig(Desk(empty_shop), engine, GuestsOfEngine(engine), settings, states)
    return Fleet(rig, engine, database_url)


def _paid(fleet: Fleet) -> UUID:
    """A customer has paid, and Stripe's word of it is stored."""
    shop = fleet.rig.desk.shop
    order_id = shop.place(**BOT)
    checkout = shop.payments.pay(order_id)
    shop.receive("checkout.session.completed", {"id": checkout.id})
    return order_id


def _delivered(fleet: Fleet) -> UUID:
    order_id = _paid(fleet)
    fleet.work(CrashPoints(), "worker-0")
    return order_id


def _cancelled(fleet: Fleet) -> UUID:
    order_id = _delivered(fleet)
    fleet.rig.desk.cancel(order_id)
    return order_id


def _stopped(fleet: Fleet) -> UUID:
    order_id = _delivered(fleet)
    fleet.rig.desk.power(order_id, started=False)
    return order_id


def _doomed(fleet: Fleet) -> UUID:
    fleet.engine.is_doomed = True
    return _paid(fleet)


Story = tuple[Callable[[Fleet], UUID], OrderStatus, WorkloadStatus]
STORIES: dict[str, Story] = {
    "up": (_paid, OrderStatus.DELIVERED, WorkloadStatus.RUNNING),
    "change": (_stopped, OrderStatus.DELIVERED, WorkloadStatus.STOPPED),
    "destroy": (_cancelled, OrderStatus.DELIVERED, WorkloadStatus.DELETED),
    "refund": (_doomed, OrderStatus.REFUNDED, WorkloadStatus.DELETED),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("dies", ["worker", "host"])
@pytest.mark.parametrize("story", STORIES)
def test_a_death_at_any_point_ends_as_if_nobody_had_died(
    fleet: Fleet, crash_stride: int, story: str, dies: str
) -> None:
    """F1, F5: with its engine living on, or dying too; the promises hold at the death itself and in the end."""
    begin, order_status, workload_status = STORIES[story]
    first = 1 + (sorted(STORIES).index(story) * 2 + (dies == "host")) % crash_stride
    for number in range(first, 1000, crash_stride):
        order_id, points = begin(fleet), CrashPoints(kill_at=number)
        died = _dies(fleet, points)
        if died and dies == "host":
            fleet.power_cut()
        at_death = fleet.broken() if died else []
        fleet.time_passes()
        fleet.work(CrashPoints(), "worker-2")
        told = f"{number}: {points.where}"
        assert (at_death, fleet.broken()) == ([], []), told
        ended = fleet.rig.desk.shop.order(order_id).status, fleet.rig.desk.shop.workload(order_id).status
        assert ended == (order_status, workload_status), told
        if not died:
            assert number > len(points.passed) > 10
            return
    pytest.fail("the story never ends")


def _dies(fleet: Fleet, points: CrashPoints) -> bool:
    """Have a mortal worker do what is due; returns whether it died."""
    try:
        fleet.work(points, "worker-1")
    except WorkerKilled:
        return True
    return False
