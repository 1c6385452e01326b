"""The jobs that plan quotes."""

from datetime import timedelta

from sqlalchemy import func, update

from api.jobs import Job
from api.quotes.models import Quote, QuoteStatus
from automation.services import WorkerServices
from automation.tasks.quotes import preview_quote, sweep_quotes
from tests.factories.orders import order_request
from tests.fixtures.runner import RunnerRig


def test_a_lost_hint_is_found_by_its_row(runner_rig: RunnerRig, services: WorkerServices) -> None:
    """And the job it names makes the plan."""
    shop = runner_rig.desk.shop
    quote = shop.quotes.request(shop.customer(), order_request())
    shop.jobs.sent.clear()
    long_ago = func.now() - timedelta(minutes=1)
    shop.change(lambda session: session.execute(update(Quote).values(created_at=long_ago)))

    sweep_quotes(services)
    assert shop.jobs.of(Job.PREVIEW_QUOTE) == [(quote.id,)]

    preview_quote(services, str(quote.id))
    assert [found.status for found in shop.all(Quote)] == [QuoteStatus.READY]
    shop.jobs.sent.clear()
    sweep_quotes(services)
    assert shop.jobs.of(Job.PREVIEW_QUOTE) == []


def test_expired_quotes_are_swept_away(runner_rig: RunnerRig, services: WorkerServices) -> None:
    """Nobody can order by them any more."""
    shop = runner_rig.desk.shop
    shop.quotes.request(shop.customer(), order_request())
    shop.change(lambda session: session.execute(update(Quote).values(expires_at=func.now())))

    sweep_quotes(services)

    assert shop.all(Quote) == []
