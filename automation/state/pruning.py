"""Prunes the state's history by what the application knows."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

from sqlalchemy import select

from api.db.session import Database
from api.settings import WorkerSettings
from api.state.history import Pruned, StateHistory
from api.state.retention import Retention
from api.workloads.models import Workload, WorkloadStatus


def prune(database: Database, settings: WorkerSettings) -> Pruned:
    """Delete history and backups that nobody needs any more; blocks for seconds. See ``StateHistory.prune``."""
    retention = Retention(
        newest=settings.state_history_newest,
        age=timedelta(days=settings.state_history_days),
        gone=timedelta(days=settings.state_gone_days),
    )
    with closing(StateHistory(settings.state_database_url.get_secret_value())) as history:
        return history.prune(retention, lambda stacks: wanted(database, stacks))


def wanted(database: Database, stacks: Sequence[str]) -> set[str]:
    """Return those of some stacks whose workloads are not deleted."""
    with database.transaction() as transaction:
        living = select(Workload.stack).where(
            Workload.stack.in_(stacks), Workload.status.is_distinct_from(WorkloadStatus.DELETED)
        )
        return set(transaction.session.scalars(living))
