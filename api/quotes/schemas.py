"""What customers get about quotes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.quotes.models import QuoteStatus


class QuoteView(BaseModel):
    """The price of an order and what it would make, in plain words.

    Attributes:
        includes: what is in the price; known at once.
        status: of the plan: ``planning`` until the engine has found out what it would do.
        plan: what the engine would do, in words; None while it is being planned, and where it cannot be.
        error: why there is no plan.
        expires_at: until then it can be read.
    """

    id: UUID
    description: str
    includes: list[str]
    price_cents: int
    currency: str
    is_available: bool
    status: QuoteStatus
    plan: str | None
    error: str | None
    expires_at: datetime
