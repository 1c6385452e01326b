"""A quote's plan, made by the engine."""

import pytest
from sqlalchemy import func, update

from api.quotes.models import QUOTES_STACK, Quote, QuoteStatus
from automation.engine.contract import EngineAction
from automation.quotes.planner import QuotePlanner
from tests.factories.orders import BARE_METAL, order_request
from tests.fixtures.metal_shop import MetalShop
from tests.fixtures.runner import RunnerRig


@pytest.fixture
def rig(runner_rig: RunnerRig) -> RunnerRig:
    """Return a fake engine in a stocked shop."""
    return runner_rig


@pytest.fixture
def planner(rig: RunnerRig) -> QuotePlanner:
    """Return the planner of a worker."""
    return QuotePlanner(rig.desk.shop.database, rig.engine, rig.desk.shop.vault, rig.settings)


def ask(rig: RunnerRig) -> Quote:
    """Ask for a quote of a small cloud VM."""
    return rig.desk.shop.quotes.request(rig.desk.shop.customer(), order_request())


def only(rig: RunnerRig) -> Quote:
    """Return the one quote as it is now."""
    (quote,) = rig.desk.shop.all(Quote)
    return quote


def test_a_plan_is_a_preview_on_the_one_empty_stack(rig: RunnerRig, planner: QuotePlanner) -> None:
    """The engine makes nothing, and finds nothing there however many quotes came before."""
    quotes = [ask(rig) for _ in range(2)]

    assert [planner.plan(quote.id) for quote in quotes] == [True, True]

    assert {(run.job.stack, run.job.action) for run in rig.engine.previews} == {(QUOTES_STACK, EngineAction.PREVIEW)}
    assert rig.engine.stacks == {}
    summaries = {quote.summary for quote in rig.desk.shop.all(Quote)}
    assert summaries == {"a new virtual machine with 1 core on FSN node cloud-1; two new DNS records; EUR 4.50 a month"}


def test_a_quote_is_planned_once(rig: RunnerRig, planner: QuotePlanner) -> None:
    """Hints may come twice."""
    quote = ask(rig)
    assert [planner.plan(quote.id) for _ in range(2)] == [True, False]
    assert len(rig.engine.previews) == 1


def test_no_engine_means_another_attempt(rig: RunnerRig, planner: QuotePlanner) -> None:
    """The engine's host may be starting: the sweep comes back to it."""
    quote = ask(rig)
    rig.engine.refuse_next()

    assert [planner.plan(quote.id) for _ in range(2)] == [True, True]
    assert (only(rig).status, only(rig).attempts) == (QuoteStatus.READY, 2)


def test_a_preview_that_fails_is_told_in_the_engines_words(rig: RunnerRig, planner: QuotePlanner) -> None:
    """What time may heal is tried again, what it cannot is told at once."""
    quote = ask(rig)
    rig.engine.fail_next_preview("plugin_crashed", retryable=True)
    rig.engine.fail_next_preview("invalid_spec", retryable=False, message="It cannot be made.")

    planner.plan(quote.id)
    assert only(rig).status is QuoteStatus.PLANNING
    planner.plan(quote.id)
    assert (only(rig).status, only(rig).error) == (QuoteStatus.FAILED, "It cannot be made.")


def test_a_worker_that_died_over_a_quote_is_followed_by_another(rig: RunnerRig, planner: QuotePlanner) -> None:
    """Once its claim has run out, under a name of its own on disk."""
    quote = ask(rig)
    expired = {"attempts": 1, "claimed_until": func.now()}
    rig.desk.shop.change(lambda session: session.execute(update(Quote).values(**expired)))

    assert planner.plan(quote.id) is True
    assert [run.job.fence for run in rig.engine.previews] == [2]
    assert only(rig).status is QuoteStatus.READY


def test_a_machine_is_planned_without_credentials(metal_shop: MetalShop) -> None:
    """Nothing is asked of it before it is ordered."""
    metal_shop.add_machine()
    rig, shop = metal_shop.rig, metal_shop.stable.shop
    quote = shop.quotes.request(shop.customer(), order_request(**BARE_METAL))
    assert QuotePlanner(shop.database, rig.engine, shop.vault, rig.settings).plan(quote.id) is True
    assert only(rig).status is QuoteStatus.READY
    assert metal_shop.engine.grants == []
