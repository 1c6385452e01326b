"""The state database's jobs."""

import structlog

from automation.services import WorkerServices
from automation.state.pruning import prune

_LOG = structlog.get_logger(__name__)


def prune_state(services: WorkerServices) -> None:
    """Delete history and backups that nobody needs any more; what is left when the table is busy waits an hour."""
    pruned = prune(services.database, services.settings)
    _LOG.info("state_pruned", rows=pruned.rows, is_complete=pruned.is_complete)
