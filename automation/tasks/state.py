"""The state database's jobs."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select

from api.state.history import StateHistory
from api.state.retention import Retention
from api.workloads.models import Workload, WorkloadStatus
from automation.services import WorkerServices

_LOG = structlog.get_logger(__name__)


def prune_state(services: WorkerServices) -> None:
    """Delete history and backups that nobody needs any more; what is left when the table is busy waits an hour."""
    settings = services.settings
    retention = Retention(
        newest=settings.state_history_newest,
        age=timedelta(days=settings.state_history_days),
        gone=timedelta(days=settings.state_gone_days),
    )
    history = StateHistory(settings.state_database_url.get_secret_value())
    try:
        pruned = history.prune(retention, lambda stacks: _wanted(services, stacks))
    finally:
        history.close()
    _LOG.info("state_pruned", rows=pruned.rows, is_complete=pruned.is_complete)


def _wanted(services: WorkerServices, stacks: Sequence[str]) -> set[str]:
    """Return the stacks of workloads that are not deleted."""
    with services.database.transaction() as transaction:
        wanted = select(Workload.stack).where(
            Workload.stack.in_(stacks), Workload.status.is_distinct_from(WorkloadStatus.DELETED)
        )
        return set(transaction.session.scalars(wanted))
