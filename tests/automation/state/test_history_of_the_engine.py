"""Pruning what the real CLI has written, while it is at work."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from api.state.history import StateHistory
from api.state.retention import Retention
from api.state.store import StateStore
from automation.engine.contract import EngineAction, EngineOutcome
from tests.fixtures.engine import Rig, until

pytestmark = pytest.mark.engine

EVERYTHING_BUT_THE_NEWEST = Retention(newest=1, age=timedelta(0), gone=timedelta(0), batch=2)


def _keys(rig: Rig, prefix: str = "") -> list[str]:
    with psycopg.connect(rig.secrets.backend_url) as connection:
        rows = connection.execute("SELECT key FROM pulumi_state WHERE starts_with(key, %s) ORDER BY key", [prefix])
        return [row[0] for row in rows]


def test_what_the_cli_has_written_is_recognised(rig: Rig) -> None:
    """Three operations leave three rows each; one of each kind stays, and the engine misses nothing."""
    for _ in range(3):
        assert rig.up({"rooms": 2}).outcome is EngineOutcome.SUCCEEDED
    with (
        closing(StateHistory(rig.secrets.backend_url)) as history,
        closing(StateStore(rig.secrets.backend_url)) as states,
    ):
        before = states.digest(rig.stack)
        keys = history.keys
        newest = _keys(rig, keys.history())[-2:] + _keys(rig, keys.backups())[-1:]

        pruned = history.prune(EVERYTHING_BUT_THE_NEWEST, lambda _: set())

        assert (pruned.rows, pruned.is_complete) == (6, True)
        assert _keys(rig, keys.history()) + _keys(rig, keys.backups()) == newest
        assert rig.up({"rooms": 2}).changes == {"same": 3}
        assert states.digest(rig.stack) == before


def test_a_stack_that_the_engine_removed_leaves_nothing_in_the_end(rig: Rig) -> None:
    """The CLI leaves the backups and the ``.bak`` behind; they go when their time is over."""
    rig.up({"rooms": 1})
    rig.destroy({"rooms": 1})
    with closing(StateHistory(rig.secrets.backend_url)) as history:
        left = _keys(rig, f"{history.keys.root}stacks") + _keys(rig, history.keys.backups(rig.stack))

        history.prune(EVERYTHING_BUT_THE_NEWEST, lambda _: set())

        assert left
        assert _keys(rig) == [f"{history.keys.root}meta.yaml"]


def test_an_engine_at_work_is_seen_and_left_alone(rig: Rig, tmp_path: Path) -> None:
    """Its lock is told with host and process, its operation ends well, and its history is complete."""
    rig.up({"rooms": 1})
    rig.up({"rooms": 1})
    waiting = rig.using("engine_programs:waits")
    run = waiting.engine.start(
        waiting.job(EngineAction.UP, {"started": str(tmp_path / "started"), "gate": str(tmp_path / "gate")}),
        rig.secrets,
    )
    done = waiting.follow(run)
    with (
        closing(StateHistory(rig.secrets.backend_url)) as history,
        closing(StateStore(rig.secrets.backend_url)) as states,
    ):
        until((tmp_path / "started").exists)
        (lock,) = states.locks(rig.stack)
        pruned = history.prune(EVERYTHING_BUT_THE_NEWEST, lambda _: set())
        (tmp_path / "gate").touch()

        assert done.result().outcome is EngineOutcome.SUCCEEDED
        assert (lock.stack, lock.host != "", lock.pid > 0, pruned.rows) == (rig.stack, True, True, 3)
        assert states.locks(rig.stack) == []
        assert len(_keys(rig, history.keys.history(rig.stack))) == 4
