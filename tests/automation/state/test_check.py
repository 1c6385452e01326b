"""What the check of the state against the application finds, each by name."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from api.operations.models import Operation
from api.state.checkpoint import write_checkpoint
from api.state.store import StateStore
from api.workloads.models import Workload, WorkloadStatus
from automation.state.check import Violation, check
from tests.fixtures.operations import Desk
from tests.fixtures.state import StateTable

_GUEST = {"urn": "urn:guest", "type": "cloud:Guest"}
_PENDING = {"pending_operations": [{"type": "creating", "resource": _GUEST}]}
_UNTIDY = {"process": {}, "operation_id": "x", "fence": 1, "goal": "apply 1", "ended": True}


class World:
    """A shop with one delivered workload, and a state table beside it."""

    def __init__(self, desk: Desk, table: StateTable, states: StateStore) -> None:
        self.desk = desk
        self.table = table
        self.states = states
        self.order_id = desk.shop.place_paid()
        desk.deliver(self.order_id)
        self.stack = desk.shop.workload(self.order_id).stack

    def check(self) -> list[Violation]:
        """Check it."""
        return check(self.desk.shop.database, self.states)

    def lock(self, age: timedelta = timedelta(0)) -> str:
        """Leave a lock as the CLI does."""
        content = {"pid": 41, "username": "root", "hostname": "worker-9", "timestamp": "2026-01-01T00:00:00Z"}
        return self.table.put(f"{self.table.keys.locks(self.stack)}0a1b.json", write_checkpoint(content), age)

    def untidy(self) -> None:
        """Let the newest operation have ended with an engine whose stack nobody has tidied up."""
        newest = self.desk.latest(self.order_id).id
        self.desk.shop.change(
            lambda session: session.execute(update(Operation).where(Operation.id == newest).values(engine=_UNTIDY))
        )


@pytest.fixture
def world(desk: Desk, state_table: StateTable) -> Iterator[World]:
    """Return one delivered workload."""
    with closing(StateStore(state_table.url)) as states:
        yield World(desk, state_table, states)


def test_a_system_at_rest_has_no_violation(world: World) -> None:
    """A delivered workload with its stack; one that was only ordered needs none."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    world.desk.shop.place()

    assert world.check() == []


def test_the_stack_of_quotes_belongs_to_no_workload(world: World) -> None:
    """It is there once a quote was asked for, and stays."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    world.table.checkpoint("quotes", resources=[])

    assert world.check() == []


def test_a_resource_in_the_stack_of_quotes_is_found(world: World) -> None:
    """Every quote would be told as a change of it."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    world.table.checkpoint("quotes", resources=[_GUEST])

    assert world.check() == [Violation("quotes", "quotes are previewed on this stack: it must be empty")]


def test_a_delivered_workload_without_a_state_is_found(world: World) -> None:
    """Somebody has deleted the row, or restored an older database."""
    assert world.check() == [Violation(world.stack, "it was delivered, but its state is missing")]


def test_a_state_that_cannot_be_read_is_found(world: World) -> None:
    """By the words that the operation ends with."""
    world.table.put(world.table.keys.checkpoint(world.stack), {"data": "e30="})

    ((stack, what),) = world.check()

    assert stack == world.stack
    assert "cannot be read" in what


def test_a_state_that_does_not_hang_together_is_found(world: World) -> None:
    """The engine would refuse it."""
    world.table.checkpoint(world.stack, resources=[{**_GUEST, "parent": "urn:gone"}])

    assert world.check() == [Violation(world.stack, "urn:guest refers to urn:gone, which is not there before it")]


def test_pending_operations_and_locks_at_rest_are_found(world: World) -> None:
    """Nobody will ever settle them unless somebody is told."""
    world.table.checkpoint(world.stack, **_PENDING)
    world.lock()

    pending, lock = world.check()

    assert pending == Violation(world.stack, "at rest, yet creating urn:guest is pending")
    assert "at rest, yet locked by process 41 of worker-9" in lock.what


@pytest.mark.parametrize("leave", [World.untidy, lambda world: world.desk.power(world.order_id, started=False)])
def test_while_somebody_is_to_deal_with_it_they_are_not(world: World, leave: Callable[[World], Any]) -> None:
    """An operation waits or works, or has ended untidily and left its engine on record for the next one."""
    world.table.checkpoint(world.stack, **_PENDING)
    leave(world)
    world.lock()

    assert world.check() == []


def test_other_peoples_newer_operations_put_nobody_at_rest(world: World) -> None:
    """Each workload is judged by its own operations, however much happens elsewhere meanwhile."""
    world.table.checkpoint(world.stack, **_PENDING)
    world.desk.power(world.order_id, started=False)
    world.lock()
    other = world.desk.shop.place_paid()
    world.desk.deliver(other)
    world.table.checkpoint(world.desk.shop.workload(other).stack, resources=[_GUEST])

    assert world.check() == []


def test_a_lock_from_before_its_operation_is_found(world: World) -> None:
    """Whoever took it is not the engine that works on the stack now."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    world.desk.power(world.order_id, started=False)
    world.lock(age=timedelta(hours=1))

    (found,) = world.check()

    assert "before any operation that could hold it" in found.what


def test_a_lock_may_be_as_old_as_the_operation_that_left_its_engine(world: World) -> None:
    """The next operation inherits the engine, and its lock with it."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    ages = func.now() - timedelta(hours=2)
    world.desk.shop.change(lambda session: session.execute(update(Operation).values(created_at=ages)))
    world.untidy()
    world.desk.power(world.order_id, started=False)
    world.lock(age=timedelta(hours=1))

    assert world.check() == []


def test_stacks_that_nobody_wants_are_found(world: World) -> None:
    """One of a workload that is deleted, and one that no row has ever known."""
    world.table.checkpoint(world.stack, resources=[_GUEST])
    world.table.checkpoint("w-unknown")
    world.desk.shop.change(lambda session: session.execute(update(Workload).values(status=WorkloadStatus.DELETED)))

    assert set(world.check()) == {
        Violation("w-unknown", "no workload has this stack"),
        Violation(world.stack, "its workload is deleted, but the state holds 1 resources"),
    }


def test_rows_of_another_database_are_found(world: World) -> None:
    """What was restored under another name is invisible to the engine."""
    world.table.checkpoint(world.stack)
    world.table.put("another/.pulumi/meta.yaml")

    ((stack, what),) = world.check()

    assert (stack, "another/.pulumi/meta.yaml" in what) == ("", True)


def test_what_moved_while_it_was_looked_at_is_no_violation(world: World) -> None:
    """An operation that began after the application was read explains what the state then shows."""
    world.table.checkpoint(world.stack, **_PENDING)

    class Moving(StateStore):
        def locks(self, stack: str = "") -> list[Any]:
            world.desk.power(world.order_id, started=False)
            return super().locks(stack)

    with closing(Moving(world.table.url)) as moving:
        assert check(world.desk.shop.database, moving) == []
