"""Pruning of history and backups, on a real PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from api.state.history import Pruned, StateHistory
from api.state.retention import Retention, StoredRow, outdated
from automation.embedded.postgres import EmbeddedPostgres
from automation.engine.backend import state_url
from tests.fixtures.state import StateTable

DAY = timedelta(days=1)
RETENTION = Retention(newest=2, age=30 * DAY, gone=90 * DAY)


@pytest.fixture
def history(state_table: StateTable) -> Iterator[StateHistory]:
    """Return the history in an empty state table."""
    with closing(StateHistory(state_table.url)) as history:
        yield history


def _nobody(stacks: Sequence[str]) -> set[str]:
    del stacks
    return set()


def _flat(operations: Sequence[Sequence[str]]) -> set[str]:
    return {key for keys in operations for key in keys}


def test_what_is_old_and_not_among_the_newest_goes(state_table: StateTable, history: StateHistory) -> None:
    """Of each operation all three rows; the checkpoint and its ``.bak`` stay."""
    kept = {state_table.checkpoint("w-1"), state_table.put(f"{state_table.keys.checkpoint('w-1')}.bak", age=99 * DAY)}
    old = state_table.operations("w-1", [99 * DAY, 50 * DAY])
    recent = state_table.operations("w-1", [20 * DAY, 2 * DAY, DAY], start=10)

    pruned = history.prune(RETENTION, _nobody)

    assert pruned == Pruned(len(_flat(old)), is_complete=True)
    assert state_table.names() == kept | _flat(recent)


def test_the_newest_stay_however_old_they_are(state_table: StateTable, history: StateHistory) -> None:
    """A stack that nobody touched for years keeps its last backup."""
    state_table.checkpoint("w-1")
    operations = state_table.operations("w-1", [900 * DAY, 800 * DAY, 700 * DAY])

    history.prune(RETENTION, _nobody)

    assert state_table.names() == {state_table.keys.checkpoint("w-1")} | _flat(operations[1:])


def test_each_stack_has_a_count_of_its_own(state_table: StateTable, history: StateHistory) -> None:
    """Stacks whose names begin alike, or whose names sort between a name and its rows, are not taken for one."""
    kept: set[str] = set()
    for stack in ("w", "w-1", "w-10", "w-1-a", "w1"):
        kept.add(state_table.checkpoint(stack))
        kept |= _flat(state_table.operations(stack, [99 * DAY] * 4)[2:])

    assert history.prune(RETENTION, _nobody).rows == 5 * 2 * 3
    assert state_table.names() == kept


def test_a_removed_stack_loses_everything_after_its_time(state_table: StateTable, history: StateHistory) -> None:
    """History, backups and the ``.bak`` that the CLI leaves, but of one that was removed lately nothing."""
    state_table.operations("w-gone", [200 * DAY, 91 * DAY])
    state_table.put(f"{state_table.keys.checkpoint('w-gone')}.bak", age=91 * DAY)
    kept = _flat(state_table.operations("w-lately", [200 * DAY, 89 * DAY]))
    kept.add(state_table.put(f"{state_table.keys.checkpoint('w-lately')}.bak", age=89 * DAY))

    history.prune(RETENTION, _nobody)

    assert state_table.names() == kept


def test_a_stack_that_is_wanted_but_missing_keeps_its_backups(state_table: StateTable, history: StateHistory) -> None:
    """Somebody has deleted its checkpoint: the backups are all that is left of it."""
    operations = state_table.operations("w-lost", [300 * DAY, 200 * DAY, 100 * DAY])
    bak = state_table.put(f"{state_table.keys.checkpoint('w-lost')}.bak", age=100 * DAY)

    history.prune(RETENTION, lambda stacks: set(stacks) & {"w-lost"})

    assert state_table.names() == {bak} | _flat(operations[1:])


def test_rows_of_other_kinds_are_never_touched(state_table: StateTable, history: StateHistory) -> None:
    """Locks, the table's own description, other projects, and whatever else somebody has put there."""
    keys = state_table.keys
    others = {
        f"{keys.root}meta.yaml",
        f"{keys.locks('w-1')}0a1b.json",
        f"{keys.root}backups/platform/w-1/w-1.1700000000000000000.json",
        f"{keys.root}history/platform/w-1/w-1-1700000000000000000.history.json",
        "other-database/.pulumi/backups/slipway/w-1/w-1.1700000000000000000.json",
    }
    mine = {keys.checkpoint("w-1"), f"{keys.backups('w-1')}before-the-move.json"}
    for key in others | mine:
        state_table.put(key, age=999 * DAY)

    assert history.prune(RETENTION, _nobody).rows == 0
    assert state_table.names() == others | mine


def test_each_batch_is_a_short_transaction_of_its_own(state_table: StateTable, history: StateHistory) -> None:
    """An engine that starts waits for one batch at most."""
    state_table.checkpoint("w-1")
    state_table.operations("w-1", [99 * DAY] * 12)
    deletions: list[int] = []

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE"):
            deletions.append(cursor.rowcount)
            assert cursor.connection.info.transaction_status.name == "IDLE"

    event.listen(history.engine, "after_cursor_execute", note)

    history.prune(Retention(newest=2, age=DAY, gone=DAY, batch=8), _nobody)

    assert deletions == [8, 8, 8, 6]


def test_a_run_stops_at_its_limit_and_the_next_one_goes_on(state_table: StateTable, history: StateHistory) -> None:
    """A backlog of years is worked off bit by bit."""
    state_table.checkpoint("w-1")
    state_table.operations("w-1", [99 * DAY] * 12)
    retention = Retention(newest=2, age=DAY, gone=DAY, batch=10, limit=20)

    assert [history.prune(retention, _nobody) for _ in range(2)] == [
        Pruned(20, is_complete=False),
        Pruned(10, is_complete=True),
    ]


def test_many_rows_of_many_stacks_are_pruned_page_by_page(state_table: StateTable, history: StateHistory) -> None:
    """More rows than a page holds and more stacks than are looked up at once."""
    _fill(state_table, stacks=450, operations=8)

    assert history.prune(RETENTION, _nobody) == Pruned(450 * 6 * 3, is_complete=True)
    assert len(state_table.names()) == 450 * (1 + 2 * 3)


def test_it_steps_back_when_somebody_holds_the_table(state_table: StateTable, history: StateHistory) -> None:
    """An engine must never queue behind a deletion that itself waits."""
    state_table.checkpoint("w-1")
    state_table.operations("w-1", [99 * DAY] * 4)
    with psycopg.connect(state_table.url) as other:
        other.execute("LOCK TABLE pulumi_state IN SHARE MODE")
        held = history.prune(RETENTION, _nobody)

    assert held == Pruned(0, is_complete=False)
    assert history.prune(RETENTION, _nobody) == Pruned(6, is_complete=True)


def test_without_a_table_there_is_nothing_to_prune(postgres: EmbeddedPostgres) -> None:
    """The CLI makes it when it is first started."""
    url = state_url(postgres.create_database("state-of-nobody"), "state-of-nobody")
    with closing(StateHistory(url)) as history:
        assert history.prune(RETENTION, _nobody) == Pruned(0, is_complete=True)
    postgres.drop_database("state-of-nobody")


def test_the_last_backup_cannot_be_given_up() -> None:
    """Not even by a setting."""
    with pytest.raises(ValueError, match="newest"):
        Retention(newest=0, age=DAY, gone=DAY)


def test_entries_are_counted_by_their_number_and_not_by_their_name() -> None:
    """A clock's number of fewer digits is an older one."""
    rows = [StoredRow(f"x/backups/w/w.{at}.json", is_old=True, is_ancient=False) for at in (1000, 999, 5)]

    assert outdated(rows, newest=1) == ["x/backups/w/w.999.json", "x/backups/w/w.5.json"]


def _fill(table: StateTable, stacks: int, operations: int) -> None:
    keys = table.keys
    with psycopg.connect(table.url) as connection:
        connection.execute(
            """
            INSERT INTO pulumi_state (key, data, updated_at)
            SELECT format(name, 'w-' || stack, 1700000000 + number), '{"data": "e30="}', now() - interval '99 days'
            FROM generate_series(1, %(stacks)s) stack, generate_series(1, %(operations)s) number,
                 unnest(%(names)s::text[]) name
            """,
            {
                "stacks": stacks,
                "operations": operations,
                "names": [
                    f"{keys.history()}%1$s/%1$s-%2$s.history.json",
                    f"{keys.history()}%1$s/%1$s-%2$s.checkpoint.json",
                    f"{keys.backups()}%1$s/%1$s.%2$s.json",
                ],
            },
        )
        connection.execute(
            "INSERT INTO pulumi_state SELECT %s || 'w-' || stack || '.json', '{}' FROM generate_series(1, %s) stack",
            [keys.checkpoints, stacks],
        )
