"""The worker's side of quotes: taken one at a time, each write bound to who took it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from api.inventory.models import Node
from api.operations.leased import LeasedNode
from api.plans.document import PlanDocument
from api.plans.words import describe, monthly
from api.quotes.models import Quote, QuoteStatus

ATTEMPTS = 3
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class ClaimedQuote:
    """A quote as the worker that plans it sees it; ``attempt`` is the fence of its writes.

    Attributes:
        node: where it would be placed; None for a machine, of which nothing is asked before it is ordered.
    """

    id: UUID
    attempt: int
    spec: Mapping[str, Any]
    node: LeasedNode | None


class QuotePlans:
    """Takes quotes and writes their plans; each call belongs in a short transaction of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, quote_id: UUID, length: timedelta) -> ClaimedQuote | None:
        """Take a quote for so long; None if it needs no plan, or another worker is at it."""
        quote = self._session.scalars(
            select(Quote).where(Quote.id == quote_id, *_waiting()).with_for_update(skip_locked=True)
        ).one_or_none()
        if quote is None:
            return None
        quote.attempts += 1
        quote.claimed_until = self._session.execute(select(func.now() + length)).scalar_one()
        self._session.flush()
        return ClaimedQuote(
            id=quote.id,
            attempt=quote.attempts,
            spec=quote.spec or {},
            node=None if quote.node_id is None else LeasedNode.of(self._session.get_one(Node, quote.node_id)),
        )

    def store(self, claimed: ClaimedQuote, steps: Sequence[Mapping[str, Any]]) -> bool:
        """Write a quote's plan, in steps and in words; False if another worker has taken the quote."""
        quote = self._mine(claimed)
        if quote is None:
            return False
        document = PlanDocument.of(steps)
        quote.status, quote.error = QuoteStatus.READY, None
        quote.steps = [step.model_dump(mode="json") for step in document.steps]
        quote.summary = describe(document, quote.place, monthly(quote.price_cents, quote.currency))
        self._session.flush()
        return True

    def fail(self, claimed: ClaimedQuote, reason: str, *, retryable: bool) -> None:
        """Let another attempt follow, or write why there is no plan; does nothing if another worker has it."""
        quote = self._mine(claimed)
        if quote is None:
            return
        if retryable and quote.attempts < ATTEMPTS:
            quote.claimed_until = None
        else:
            quote.status, quote.error = QuoteStatus.FAILED, reason
        self._session.flush()

    def waiting(self, hint_grace: timedelta) -> list[UUID]:
        """Return quotes whose hint was lost, or whose worker was: older than ``hint_grace`` and not being planned."""
        return list(
            self._session.scalars(
                select(Quote.id)
                .where(Quote.created_at < func.now() - hint_grace, *_waiting())
                .order_by(Quote.id)
                .limit(_AT_ONCE)
            )
        )

    def tidy(self) -> int:
        """Remove expired quotes, and fail those that took their workers down each time; returns how many are gone."""
        self._session.execute(
            update(Quote)
            .where(Quote.status == QuoteStatus.PLANNING, Quote.attempts >= ATTEMPTS, Quote.claimed_until < func.now())
            .values(status=QuoteStatus.FAILED, error="The plan could not be made in time.")
        )
        expired = (
            select(Quote.id).where(Quote.expires_at < func.now()).limit(_AT_ONCE).with_for_update(skip_locked=True)
        )
        removed = self._session.execute(delete(Quote).where(Quote.id.in_(expired)).returning(Quote.id))
        return len(removed.all())

    def _mine(self, claimed: ClaimedQuote) -> Quote | None:
        return self._session.scalars(
            select(Quote)
            .where(Quote.id == claimed.id, Quote.attempts == claimed.attempt, Quote.status == QuoteStatus.PLANNING)
            .with_for_update()
        ).one_or_none()


def _waiting() -> tuple[Any, ...]:
    return (
        Quote.status == QuoteStatus.PLANNING,
        Quote.expires_at > func.now(),
        Quote.attempts < ATTEMPTS,
        or_(Quote.claimed_until.is_(None), Quote.claimed_until < func.now()),
    )
