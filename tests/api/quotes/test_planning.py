"""The worker's side of quotes."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import func, update

from api.quotes.models import Quote, QuoteStatus
from api.quotes.planning import ATTEMPTS, ClaimedQuote, QuotePlans
from tests.factories.orders import order_request
from tests.fakes.engine_steps import planned
from tests.fixtures.shop import Shop

Answer = TypeVar("Answer")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def quote_id(shop: Shop) -> UUID:
    """Return a quote that waits for its plan."""
    return shop.quotes.request(shop.customer(), order_request()).id


def with_plans(shop: Shop, action: Callable[[QuotePlans], Answer]) -> Answer:
    """Do something in a transaction of its own."""
    return shop.change(lambda session: action(QuotePlans(session)))


def claim(shop: Shop, quote_id: UUID) -> ClaimedQuote:
    """Take a quote that is free."""
    claimed = with_plans(shop, lambda plans: plans.claim(quote_id, MINUTE))
    assert claimed is not None
    return claimed


def only(shop: Shop) -> Quote:
    """Return the one quote as it is now."""
    (quote,) = shop.all(Quote)
    return quote


def change(shop: Shop, **values: Any) -> None:
    """Change the one quote's row."""
    shop.change(lambda session: session.execute(update(Quote).values(**values)))


def test_a_plan_is_stored_in_steps_and_in_words(shop: Shop, quote_id: UUID) -> None:
    """As a customer understands them, with the price at the end."""
    claimed = claim(shop, quote_id)
    steps = planned("quotes", None, claimed.spec)

    assert with_plans(shop, lambda plans: plans.store(claimed, steps)) is True

    quote = only(shop)
    assert quote.status is QuoteStatus.READY
    assert quote.summary == (
        "a new virtual machine with 1 core on FSN node cloud-1; two new DNS records; EUR 4.50 a month"
    )
    assert [step["op"] for step in quote.steps or ()] == ["create"] * 3


def test_a_quote_is_planned_by_one_worker(shop: Shop, quote_id: UUID) -> None:
    """Until its claim runs out: then it is another's, and the first one's plan is dropped."""
    first = claim(shop, quote_id)
    assert with_plans(shop, lambda plans: plans.claim(quote_id, MINUTE)) is None
    change(shop, claimed_until=func.now() - MINUTE)
    second = claim(shop, quote_id)

    assert (first.attempt, second.attempt) == (1, 2)
    assert with_plans(shop, lambda plans: plans.store(first, [])) is False
    with_plans(shop, lambda plans: plans.fail(first, "Late.", retryable=False))
    assert only(shop).status is QuoteStatus.PLANNING
    assert with_plans(shop, lambda plans: plans.store(second, [])) is True
    assert with_plans(shop, lambda plans: plans.claim(quote_id, MINUTE)) is None


def test_what_may_heal_is_tried_again_a_few_times(shop: Shop, quote_id: UUID) -> None:
    """Then the reason is told."""
    for attempt in range(1, ATTEMPTS + 1):
        assert only(shop).status is QuoteStatus.PLANNING
        claimed = claim(shop, quote_id)
        assert claimed.attempt == attempt
        with_plans(shop, partial(QuotePlans.fail, claimed=claimed, reason="It failed.", retryable=True))

    assert (only(shop).status, only(shop).error) == (QuoteStatus.FAILED, "It failed.")


def test_what_cannot_heal_is_told_at_once(shop: Shop, quote_id: UUID) -> None:
    """A second attempt would tell the same."""
    claimed = claim(shop, quote_id)
    with_plans(shop, lambda plans: plans.fail(claimed, "It cannot be.", retryable=False))

    assert (only(shop).status, only(shop).error) == (QuoteStatus.FAILED, "It cannot be.")


def test_the_sweep_finds_lost_hints_and_lost_workers(shop: Shop, quote_id: UUID) -> None:
    """Not those whose hint may still be on its way, nor those at which somebody works."""
    assert with_plans(shop, lambda plans: plans.waiting(MINUTE)) == []
    change(shop, created_at=func.now() - 2 * MINUTE)
    assert with_plans(shop, lambda plans: plans.waiting(MINUTE)) == [quote_id]
    claim(shop, quote_id)
    assert with_plans(shop, lambda plans: plans.waiting(MINUTE)) == []
    change(shop, claimed_until=func.now() - MINUTE)
    assert with_plans(shop, lambda plans: plans.waiting(MINUTE)) == [quote_id]


def test_a_quote_that_takes_its_workers_down_fails(shop: Shop, quote_id: UUID) -> None:
    """It does not wait for ever, and takes no further worker."""
    change(shop, attempts=ATTEMPTS, claimed_until=func.now() - MINUTE)

    assert with_plans(shop, lambda plans: plans.claim(quote_id, MINUTE)) is None
    assert with_plans(shop, lambda plans: plans.tidy()) == 0
    assert (only(shop).status, only(shop).error) == (QuoteStatus.FAILED, "The plan could not be made in time.")


def test_expired_quotes_are_removed(shop: Shop, quote_id: UUID) -> None:
    """And only those."""
    other = shop.quotes.request(shop.customer(), order_request()).id
    shop.change(
        lambda session: session.execute(update(Quote).where(Quote.id == quote_id).values(expires_at=func.now()))
    )

    assert with_plans(shop, lambda plans: plans.tidy()) == 1
    assert only(shop).id == other
