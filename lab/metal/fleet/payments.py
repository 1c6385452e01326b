"""A bank for a fleet: whoever is asked has paid."""

import threading
from dataclasses import replace
from uuid import UUID

from api.billing.gateway import CheckoutRequest, CheckoutSession, CheckoutState
from api.errors import NotFound
from api.jobs import Job


class PromptPayers:
    """Implements ``api.billing.gateway.PaymentGateway``: every page is paid once it is looked at. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, CheckoutSession] = {}

    def create_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        """Make a page."""
        page = CheckoutSession(
            id=f"cs_fleet_{request.order_id.hex}",
            order_id=request.order_id,
            state=CheckoutState.OPEN,
            url=f"https://pay.example/{request.order_id}",
            amount_cents=request.amount_cents,
            currency=request.currency,
            payment_reference=None,
        )
        with self._lock:
            return self._pages.setdefault(page.id, page)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        """Return a page, paid."""
        with self._lock:
            page = self._pages.get(session_id)
        if page is None:
            raise NotFound("there is no such page")
        return replace(page, state=CheckoutState.PAID, url=None, payment_reference=f"pi_{session_id}")

    def refund(self, order_id: UUID, payment_reference: str, amount_cents: int) -> str:
        """Pay back."""
        del payment_reference, amount_cents
        return f"re_{order_id.hex}"


class NoQueue:
    """Implements ``api.jobs.JobQueue`` for who looks for due work itself."""

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Forget it."""
