"""``slipway state``: check, backups, restore."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import update

from api.audit.models import AuditRecord
from api.operations.models import OperationStatus
from api.state.store import StateStore
from api.workloads.models import Workload, WorkloadStatus
from tests.automation.cli.conftest import Terminal
from tests.fixtures.operations import Desk
from tests.fixtures.state import StateTable, checkpoint_row

_GUEST = {"urn": "urn:guest", "type": "cloud:Guest"}
_RESTORE = ("state", "restore", "--reason", "the disk lied", "--from")


class Operator:
    """A terminal on both databases, with one delivered workload whose checkpoint was cut off."""

    def __init__(self, terminal: Terminal, desk: Desk, table: StateTable, states: StateStore) -> None:
        self.terminal = terminal
        self.desk = desk
        self.table = table
        self.states = states
        self.order_id = desk.shop.place_paid()
        desk.deliver(self.order_id)
        self.stack = desk.shop.workload(self.order_id).stack
        table.put(table.keys.checkpoint(self.stack), {"data": "e30="})
        table.put(f"{table.keys.checkpoint(self.stack)}.bak", checkpoint_row({"resources": [_GUEST]}))
        torn = f"{table.keys.backups(self.stack)}{self.stack}.17.json"
        table.put(torn, {"data": "bm90aGluZw=="}, age=timedelta(days=1))


@pytest.fixture
def operator(terminal: Terminal, desk: Desk, state_table: StateTable, database_url: str) -> Iterator[Operator]:
    """Return an operator with something to repair."""
    terminal.environment |= {"DATABASE_URL": database_url, "SLIPWAY_STATE_DATABASE_URL": state_table.url}
    with closing(StateStore(state_table.url)) as states:
        yield Operator(terminal, desk, state_table, states)


def test_check_names_what_is_wrong_and_fails(operator: Operator) -> None:
    """Then the backup is brought back, and it is content; the trail says who and why."""
    found = operator.terminal.run("state", "check", exit_code=1).output
    restored = operator.terminal.run(*_RESTORE, "bak", "--yes", operator.stack).output

    assert f"{operator.stack}: the state of stack {operator.stack} cannot be read" in found
    assert "planned anew now, against what is really there" in restored
    assert operator.states.deployment(operator.stack) == {"resources": [_GUEST]}
    assert operator.terminal.run("state", "check").output.strip() == "State and application agree."
    (entry,) = [row for row in operator.desk.shop.all(AuditRecord) if row.action == "state.restore"]
    assert (entry.reason, entry.actor_name) == ("the disk lied", "command line")
    following = operator.desk.latest(operator.order_id)
    assert (following.status, following.refreshes, following.has_consent) == (OperationStatus.QUEUED, True, False)


def test_what_stood_there_before_is_put_aside(operator: Operator) -> None:
    """A restore can be undone."""
    before = operator.table.names()

    operator.terminal.run(*_RESTORE, "bak", "--yes", operator.stack)

    (aside,) = operator.table.names() - before
    assert operator.states.table.row(aside).data == {"data": "e30="}  # type: ignore[union-attr]


def test_backups_are_listed_with_those_that_cannot_be_used(operator: Operator) -> None:
    """Newest first."""
    listed = operator.terminal.run("state", "backups", operator.stack).output

    assert listed.index("bak") < listed.index("17")
    assert "cannot be read" in listed


def test_a_backup_that_cannot_be_used_is_refused(operator: Operator) -> None:
    """One bad state for another helps nobody."""
    said = operator.terminal.run(*_RESTORE, "17", "--yes", operator.stack, exit_code=1).output

    assert "backup 17" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backups", "w-unknown"), "has no backup"),
        (("backups", "W/%"), "stack: use 1 to 63"),
        (("restore", "w-unknown", "--from", "bak", "--reason", "x", "--yes"), "no workload has the stack"),
    ],
)
def test_a_stack_that_is_not_there_is_named(operator: Operator, arguments: tuple[str, ...], said: str) -> None:
    """The error says which, and what a name looks like."""
    assert said in operator.terminal.run("state", *arguments, exit_code=1).output


def test_nothing_is_replaced_without_a_yes(operator: Operator) -> None:
    """The question names the stack and the backup."""
    said = operator.terminal.run(*_RESTORE, "bak", operator.stack, typed="n\n", exit_code=1).output

    assert f"Replace the state of {operator.stack} by its backup bak?" in said
    assert operator.states.table.row(operator.table.keys.checkpoint(operator.stack)).data == {"data": "e30="}  # type: ignore[union-attr]


def test_nothing_is_replaced_while_an_operation_waits_or_an_engine_holds_the_lock(operator: Operator) -> None:
    """Two writers of one state would overwrite each other."""
    lock = operator.table.put(
        f"{operator.table.keys.locks(operator.stack)}0a1b.json",
        {"data": "eyJwaWQiOiA0MSwgImhvc3RuYW1lIjogIndvcmtlci05In0="},
    )
    locked = operator.terminal.run(*_RESTORE, "bak", "--yes", operator.stack, exit_code=1).output
    operator.desk.power(operator.order_id, started=False)
    busy = operator.terminal.run(*_RESTORE, "bak", "--yes", operator.stack, exit_code=1).output

    assert "locked by process 41 of worker-9" in locked
    assert "an operation waits or works" in busy
    assert lock in operator.table.names()


def test_a_workload_whose_state_is_missing_is_planned_anew(operator: Operator) -> None:
    """Once; while that waits, it is not done again."""
    operator.terminal.run("state", "replan", operator.stack, "--reason", "older dump")
    again = operator.terminal.run("state", "replan", operator.stack, "--reason", "older dump", exit_code=1).output

    operation = operator.desk.latest(operator.order_id)
    assert (operation.status, operation.refreshes, operation.reason) == (OperationStatus.QUEUED, True, "older dump")
    assert "an operation waits or works" in again


def test_a_lock_is_overruled_only_by_who_says_that_its_holder_is_dead(operator: Operator) -> None:
    """The application does not know that engine, so it cannot prove its death."""
    lock = f"{operator.table.keys.locks(operator.stack)}0a1b.json"
    operator.table.put(lock, {"data": "eyJwaWQiOiA0MSwgImhvc3RuYW1lIjogIndvcmtlci05In0="})
    replan = ("state", "replan", operator.stack, "--reason", "older dump")

    refused = operator.terminal.run(*replan, exit_code=1).output
    operator.terminal.run(*replan, "--holder-is-dead")

    assert "locked by process 41 of worker-9" in refused
    assert operator.desk.latest(operator.order_id).status is OperationStatus.QUEUED


def test_only_a_deleted_workload_is_forgotten(operator: Operator) -> None:
    """Its state is put aside, and is pruned like any backup."""
    forget = ("state", "forget", operator.stack, "--reason", "older dump")
    refused = operator.terminal.run(*forget, exit_code=1).output
    operator.desk.shop.change(lambda session: session.execute(update(Workload).values(status=WorkloadStatus.DELETED)))

    operator.terminal.run(*forget)
    twice = operator.terminal.run(*forget, exit_code=1).output

    assert "needs its state; cancel it instead" in refused
    assert "knows no stack" in twice
    assert operator.states.digest(operator.stack) is None
    assert any("before-restore" in key for key in operator.table.names())


def test_a_missing_address_is_named(terminal: Terminal) -> None:
    """Which variable to set."""
    assert "SLIPWAY_STATE_DATABASE_URL" in terminal.run("state", "backups", "w-1", exit_code=1).output
