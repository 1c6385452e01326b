"""Quotes' jobs."""

from datetime import timedelta
from uuid import UUID

from api.jobs import Job
from api.quotes.planning import QuotePlans
from automation.services import WorkerServices

_HINT_GRACE = timedelta(seconds=5)


def preview_quote(services: WorkerServices, quote_id: str) -> None:
    """Find out what a quote's order would make."""
    services.quotes.plan(UUID(quote_id))


def sweep_quotes(services: WorkerServices) -> None:
    """Find quotes whose hint was lost, and remove expired ones."""
    with services.database.transaction() as transaction:
        plans = QuotePlans(transaction.session)
        plans.tidy()
        waiting = plans.waiting(_HINT_GRACE)
    for quote_id in waiting:
        services.jobs.enqueue(Job.PREVIEW_QUOTE, quote_id)
