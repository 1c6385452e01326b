"""F22: a checkpoint that was cut off, between one operation and the next."""

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import pytest

from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from api.state.store import StateStore
from api.workloads.models import WorkloadStatus
from automation.state.restoring import restore
from tests.fixtures.operations import Desk
from tests.fixtures.runner import RunnerRig
from tests.fixtures.state import StateTable, checkpoint_row


def test_a_change_ends_with_a_clear_word_and_nothing_is_touched(runner_rig: RunnerRig) -> None:
    """No engine is started at all, the guest stays as it is, and a person is called."""
    order_id = runner_rig.delivered()
    workload = runner_rig.desk.shop.workload(order_id)
    runs, guest = len(runner_rig.engine.runs), runner_rig.engine.stacks[workload.stack]
    runner_rig.states.corrupt.add(workload.stack)
    runner_rig.desk.power(order_id, started=False)

    runner_rig.run(order_id)

    operation, workload = runner_rig.desk.latest(order_id), runner_rig.desk.shop.workload(order_id)
    assert (operation.status, operation.error_code) == (OperationStatus.FAILED, "state_corrupt")
    assert workload.status is WorkloadStatus.NEEDS_ATTENTION
    assert workload.attention is not None
    assert f"state_corrupt: the state of stack {workload.stack} cannot be read" in workload.attention
    assert len(runner_rig.engine.runs) == runs
    assert runner_rig.engine.stacks[workload.stack] is guest


def test_a_cancelled_workload_keeps_its_guest_until_somebody_has_looked(runner_rig: RunnerRig) -> None:
    """A removal that cannot read what there is to remove gives nothing back, neither number nor address."""
    order_id = runner_rig.delivered()
    stack = runner_rig.desk.shop.workload(order_id).stack
    runner_rig.states.corrupt.add(stack)
    runner_rig.desk.cancel(order_id)

    runner_rig.run(order_id)

    assert runner_rig.desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
    assert runner_rig.desk.shop.order(order_id).status is not OrderStatus.PAID
    assert runner_rig.desk.shop.held(order_id).nodes == 1
    assert stack in runner_rig.engine.stacks


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        pytest.param(lambda desk, order_id: desk.power(order_id, started=False), WorkloadStatus.STOPPED, id="stop"),
        pytest.param(lambda desk, order_id: desk.cancel(order_id), WorkloadStatus.DELETED, id="cancel"),
    ],
)
def test_what_was_wanted_is_done_once_the_backup_is_back(
    runner_rig: RunnerRig,
    state_table: StateTable,
    wanted: Callable[[Desk, UUID], object],
    status: WorkloadStatus,
) -> None:
    """By an operation that looks at what is really there first: the backup may know less."""
    order_id = runner_rig.delivered()
    stack = runner_rig.desk.shop.workload(order_id).stack
    runner_rig.states.corrupt.add(stack)
    wanted(runner_rig.desk, order_id)
    runner_rig.run(order_id)
    state_table.put(f"{state_table.keys.checkpoint(stack)}.bak", checkpoint_row({}))

    with closing(StateStore(state_table.url)) as states:
        restore(runner_rig.desk.shop.database, states, stack, "bak", reason="repaired", deadline_seconds=600)
    runner_rig.states.corrupt.clear()
    runner_rig.run(order_id)

    operation = runner_rig.desk.latest(order_id)
    assert (operation.status, operation.refreshes) == (OperationStatus.SUCCEEDED, True)
    assert runner_rig.engine.recovered == [stack]
    assert runner_rig.desk.shop.workload(order_id).status is status
