"""What happens while a worker carries an operation out."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tests.fakes.engine import FakeRun
from tests.model.world import WorkerKilled

if TYPE_CHECKING:
    from tests.model.machine import LifeOfOrders


class Mishap(StrEnum):
    """What happens while a worker carries an operation out."""

    NOTHING = "nothing"
    DIES_BEFORE_ENGINE = "the worker dies before its engine is on record"
    DIES_AT_WORK = "the worker dies, its engine works on"
    DIES_AFTER_ENGINE = "the worker dies when its engine has just ended"
    ENGINE_DIES = "the engine dies half-way"
    BOTH_DIE = "engine and worker die half-way"
    TAKEN_OVER = "the lease lapses, and another worker takes over"
    SECOND_WORKER = "a second worker tries at the same time"
    WORKLOAD_CANCELLED = "the customer cancels"
    OPERATION_CANCELLED = "an operator cancels the operation"
    POWER = "the customer presses the power button"
    DIES_AFTER_COMMIT = "the worker dies just after a commit"


HARMLESS = {Mishap.NOTHING, Mishap.SECOND_WORKER, Mishap.WORKLOAD_CANCELLED, Mishap.POWER, Mishap.TAKEN_OVER}
"""What costs an operation none of its attempts."""


def prepare(life: "LifeOfOrders", mishap: Mishap) -> None:
    """Have it happen in the midst of the next run of the engine that changes something."""
    hosting = life.hosting
    if mishap is Mishap.DIES_BEFORE_ENGINE:
        hosting.engine.dies_at_start = True
    elif mishap is Mishap.DIES_AFTER_COMMIT:
        hosting.broker.deadly = True
    elif mishap is not Mishap.NOTHING:
        hosting.engine.accident = lambda run: _happen(life, mishap, run)


def _happen(life: "LifeOfOrders", mishap: Mishap, run: FakeRun) -> None:
    hosting, operation_id = life.hosting, UUID(run.job.operation_id)
    order_id = UUID(str(run.job.spec["order_id"]))
    if mishap is Mishap.DIES_AFTER_ENGINE:
        hosting.engine.finish(run)
    elif mishap in {Mishap.ENGINE_DIES, Mishap.BOTH_DIE}:
        hosting.engine.die_half_way(run)
    elif mishap in {Mishap.SECOND_WORKER, Mishap.TAKEN_OVER}:
        if mishap is Mishap.TAKEN_OVER:
            hosting.desk.lapse(operation_id)
        hosting.worker("worker-2").run(operation_id)
    elif mishap is Mishap.WORKLOAD_CANCELLED:
        life.cancel_order(order_id)
    elif mishap is Mishap.OPERATION_CANCELLED:
        life.stop(hosting.desk.latest(order_id))
    elif mishap is Mishap.POWER:
        life.press(order_id, started=not life.orders[order_id].started)
    if mishap in {Mishap.DIES_AT_WORK, Mishap.DIES_AFTER_ENGINE, Mishap.BOTH_DIE}:
        raise WorkerKilled
