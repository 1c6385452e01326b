"""What the application still counts on is not pruned."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from api.workloads.models import Workload, WorkloadStatus
from automation.state.pruning import prune
from tests.fixtures.runner import worker_settings
from tests.fixtures.shop import Shop
from tests.fixtures.state import StateTable

DAY = timedelta(days=1)


def test_settings_say_what_is_kept(shop: Shop, state_table: StateTable, tmp_path: Path) -> None:
    """The newest, and whatever is younger than so many days."""
    settings = worker_settings(
        tmp_path, state_database_url=state_table.url, state_history_newest=1, state_history_days=5
    )
    state_table.checkpoint("w-1")
    operations = state_table.operations("w-1", [9 * DAY, 4 * DAY, DAY])

    assert prune(shop.database, settings).rows == 3
    assert state_table.names() == {state_table.keys.checkpoint("w-1"), *operations[1], *operations[2]}


def test_a_missing_stack_keeps_its_backups_until_its_workload_is_deleted(
    shop: Shop, state_table: StateTable, tmp_path: Path
) -> None:
    """Without a checkpoint the backups are what brings a paid server's state back."""
    settings = worker_settings(tmp_path, state_database_url=state_table.url, state_gone_days=90)
    stack = shop.workload(shop.place_paid()).stack
    state_table.operations(stack, [200 * DAY])

    lost = prune(shop.database, settings).rows
    shop.change(lambda session: session.execute(update(Workload).values(status=WorkloadStatus.DELETED)))

    assert (lost, prune(shop.database, settings).rows, state_table.names()) == (0, 3, set())
