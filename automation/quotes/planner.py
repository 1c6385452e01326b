"""Finds out what an order would make, by a real preview on a stack that is always empty."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from api.db.session import Database
from api.quotes.models import QUOTES_STACK
from api.quotes.planning import ClaimedQuote, QuotePlans
from api.settings import WorkerSettings
from api.vault import Vault
from automation.engine.contract import (
    Engine,
    EngineAction,
    EngineJob,
    EngineOutcome,
    EngineResult,
    EngineUnavailable,
)
from automation.operations.environment import engine_secrets, node_environment
from automation.operations.guest_place import node_access

_LOG = structlog.get_logger(__name__)
_DEADLINE_SECONDS = 60.0
_CLAIM = timedelta(seconds=_DEADLINE_SECONDS * 3)
_NO_PLAN = "The plan could not be made."
# Guards nothing: the stack holds no resource, and a preview writes none. It must be the same for all workers and for
# ever, for the stack is made with it.
_PASSPHRASE = "the quotes stack is empty"  # noqa: S105 - see above


@dataclass(frozen=True, slots=True)
class QuotePlanner:
    """Plans quotes for one worker process."""

    database: Database
    engine: Engine
    vault: Vault
    settings: WorkerSettings

    def plan(self, quote_id: UUID) -> bool:
        """Make a quote's plan if it waits for one; returns whether it did. Blocks for about a second."""
        with self.database.transaction() as transaction:
            claimed = QuotePlans(transaction.session).claim(quote_id, _CLAIM)
        if claimed is None:
            return False
        try:
            result = self._preview(claimed)
        except EngineUnavailable:
            _LOG.warning("quote_not_planned", quote=str(quote_id), code="engine_unavailable")
            self._fail(claimed, _NO_PLAN, retryable=True)
            return True
        if result.outcome is not EngineOutcome.SUCCEEDED:
            failure = result.failure
            detail = {} if failure is None else {"code": failure.code, "detail": failure.detail}
            _LOG.warning("quote_not_planned", quote=str(quote_id), **detail)
            reason = _NO_PLAN if failure is None else failure.message
            self._fail(claimed, reason, retryable=failure is None or failure.retryable)
            return True
        with self.database.transaction() as transaction:
            return QuotePlans(transaction.session).store(claimed, result.steps)

    def _preview(self, claimed: ClaimedQuote) -> EngineResult:
        node = claimed.node
        place = {} if node is None else node_environment(node_access(node, self.vault))
        secrets = engine_secrets(place, _PASSPHRASE, self.settings)
        job = EngineJob(
            operation_id=f"quote-{claimed.id}",
            fence=claimed.attempt,
            stack=QUOTES_STACK,
            action=EngineAction.PREVIEW,
            spec=claimed.spec,
            work_root=self.settings.work_root,
            deadline_seconds=_DEADLINE_SECONDS,
        )
        return self.engine.start(job, secrets).wait(lambda _event: None, lambda: True)

    def _fail(self, claimed: ClaimedQuote, reason: str, *, retryable: bool) -> None:
        with self.database.transaction() as transaction:
            QuotePlans(transaction.session).fail(claimed, reason, retryable=retryable)
