"""Quotes over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response, status

from api.auth.principal import Principal, require
from api.orders.schemas import OrderRequest
from api.quotes.models import Quote
from api.quotes.repository import QuoteRepository
from api.quotes.schemas import QuoteView
from api.quotes.service import QuoteService
from api.runtime import RuntimeDep, SessionDep

router = APIRouter(tags=["orders"])
Reader = Annotated[Principal, require("orders:read")]


@router.post("/quotes", status_code=status.HTTP_202_ACCEPTED)
def quote(request: OrderRequest, principal: Reader, runtime: RuntimeDep, response: Response) -> QuoteView:
    """Price an order and say in plain words what it would make; reserves nothing and costs nothing.

    The price is there at once. What the engine would do is found out meanwhile: ask for the quote again.
    """
    made = QuoteService(runtime.database, runtime.jobs).request(principal.user_id, request)
    response.headers["Location"] = f"/v1/quotes/{made.id}"
    return _view(made)


@router.get("/quotes/{quote_id}")
def get_quote(quote_id: UUID, principal: Reader, session: SessionDep) -> QuoteView:
    """Return one of your quotes, with its plan once that is ready."""
    return _view(QuoteRepository(session, principal.user_id).get(quote_id))


def _view(made: Quote) -> QuoteView:
    return QuoteView(
        id=made.id,
        description=made.description,
        includes=made.includes,
        price_cents=made.price_cents,
        currency=made.currency,
        is_available=made.is_available,
        status=made.status,
        plan=made.summary,
        error=made.error,
        expires_at=made.expires_at,
    )
