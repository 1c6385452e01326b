"""A customer's quotes. Built with the owner, so that nobody else's can be asked for."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.quotes.models import Quote


class QuoteRepository:
    """Reads the quotes of one owner."""

    def __init__(self, session: Session, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id

    def get(self, quote_id: UUID) -> Quote:
        """Return one quote.

        Raises:
            NotFound: if the owner has no such quote, or it has expired.
        """
        quote = self._session.scalars(
            select(Quote).where(Quote.id == quote_id, Quote.owner_id == self._owner_id, Quote.expires_at > func.now())
        ).one_or_none()
        if quote is None:
            raise NotFound("you have no such quote, or it has expired: ask for a new one")
        return quote
