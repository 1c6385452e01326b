"""Quotes: priced at once, planned by a worker. Opens its own transactions."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.auth.models import User
from api.db.session import Database
from api.errors import RateLimited
from api.jobs import Job, JobQueue
from api.orders.offer import find_offer
from api.orders.reservation import chosen_ssh_keys
from api.orders.schemas import OrderRequest
from api.quotes.models import Quote, QuoteStatus
from api.quotes.tentative import look_at

LIFETIME = timedelta(hours=1)
MOST_PENDING = 5
"""Quotes of one customer whose plan is being made; each keeps an engine busy for about a second."""

_RETRY_SECONDS = 2
_SOLD_OUT = "There is no room for it at the moment."


class QuoteService:
    """Prices orders, and has a worker find out what they would make."""

    def __init__(self, database: Database, jobs: JobQueue) -> None:
        self._database = database
        self._jobs = jobs

    def request(self, owner_id: UUID, request: OrderRequest) -> Quote:
        """Price an order and have its plan made; reserves nothing.

        Raises:
            InvalidInput: naming the field that is wrong.
            RateLimited: if too many plans of this customer are being made already.
        """
        with self._database.transaction() as transaction:
            session = transaction.session
            offer = find_offer(session, request)
            keys = chosen_ssh_keys(session, owner_id, request, offer.product.kind)
            _refuse_too_many(session, owner_id)
            quote_id = uuid7()
            tentative = look_at(session, quote_id, request.name, offer, keys)
            quote = Quote(
                id=quote_id,
                owner_id=owner_id,
                request=request.model_dump(mode="json"),
                description=offer.description,
                includes=offer.includes(),
                price_cents=offer.size.price_cents,
                currency=offer.size.currency,
                status=QuoteStatus.FAILED if tentative is None else QuoteStatus.PLANNING,
                node_id=None if tentative is None else tentative.node_id,
                spec=None if tentative is None else tentative.spec,
                place="" if tentative is None else tentative.place,
                error=_SOLD_OUT if tentative is None else None,
                expires_at=session.execute(select(func.now() + LIFETIME)).scalar_one(),
            )
            session.add(quote)
            session.flush()
            if tentative is not None:
                transaction.after_commit(lambda: self._jobs.enqueue(Job.PREVIEW_QUOTE, quote_id))
            return quote


def _refuse_too_many(session: Session, owner_id: UUID) -> None:
    # One after the other, so that a burst at once cannot pass the count together.
    session.execute(select(User.id).where(User.id == owner_id).with_for_update(key_share=True))
    pending = session.execute(
        select(func.count()).where(
            Quote.owner_id == owner_id, Quote.status == QuoteStatus.PLANNING, Quote.expires_at > func.now()
        )
    ).scalar_one()
    if pending >= MOST_PENDING:
        raise RateLimited(
            f"{pending} quotes of yours are still being planned: wait for them, or order without a plan",
            retry_after_seconds=_RETRY_SECONDS,
        )
