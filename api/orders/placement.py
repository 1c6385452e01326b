"""Places orders: reserve everything first, then ask for money."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.auth.models import User
from api.billing.gateway import SHORTEST_CHECKOUT, CheckoutRequest, PaymentGateway
from api.billing.models import Checkout
from api.db.session import Database
from api.errors import Conflict, IdempotencyMismatch
from api.orders.models import IdempotencyKey, Order, OrderStatus
from api.orders.reservation import OrderReserver
from api.orders.schemas import OrderRequest
from api.vault import Vault


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """The order, and whether this call made it or found it by its idempotency key."""

    order_id: UUID
    is_new: bool


class OrderPlacement:
    """Places orders. Opens its own transactions: the payment provider is asked between two of them."""

    def __init__(self, database: Database, payments: PaymentGateway, vault: Vault, checkout_time: timedelta) -> None:
        self._database = database
        self._payments = payments
        self._vault = vault
        self._checkout_time = checkout_time

    def place(self, owner_id: UUID, request: OrderRequest, key: str) -> PlacedOrder:
        """Place an order once for one idempotency key, however often and however concurrently it is asked.

        Blocks while the payment provider creates its page.

        Raises:
            InvalidInput: naming the field that is wrong.
            IdempotencyMismatch: if the key was used for another request.
            NoCapacity: if nothing is left; nothing was reserved or charged then.
            PaymentsUnavailable: the order stands; repeating the call with the same key goes on where it stopped.
            Conflict: if it is too late for that.
        """
        digest = hashlib.sha256(request.model_dump_json(exclude_none=True).encode()).digest()
        placed = self._find_or_reserve(owner_id, request, key, digest)
        self._ensure_checkout(placed.order_id)
        return placed

    def _find_or_reserve(self, owner_id: UUID, request: OrderRequest, key: str, digest: bytes) -> PlacedOrder:
        with self._database.transaction() as transaction:
            session = transaction.session
            _take_turn(session, owner_id)
            found = _find_by_key(session, owner_id, key, digest)
            if found is not None:
                return PlacedOrder(found, is_new=False)
            order_id = OrderReserver(session, self._vault, self._checkout_time).reserve(owner_id, request)
            session.add(IdempotencyKey(id=uuid7(), owner_id=owner_id, key=key, request_hash=digest, order_id=order_id))
            return PlacedOrder(order_id, is_new=True)

    def _ensure_checkout(self, order_id: UUID) -> None:
        with self._database.transaction() as transaction:
            order, checkout, email, now = transaction.session.execute(
                select(Order, Checkout, User.email, func.now())
                .join(Checkout, Checkout.order_id == Order.id)
                .join(User, User.id == Order.owner_id)
                .where(Order.id == order_id)
            ).one()
        if checkout.session_id is not None or order.status is not OrderStatus.PENDING_PAYMENT:
            return
        if checkout.expires_at - now < SHORTEST_CHECKOUT:
            raise Conflict(
                "no payment page could be made for this order in time, so it is being let go; nothing was charged: "
                "order again with a new Idempotency-Key"
            )
        created = self._payments.create_checkout(
            CheckoutRequest(
                order_id=order.id,
                customer_email=email,
                description=order.description,
                amount_cents=order.price_cents,
                currency=order.currency,
                expires_at=checkout.expires_at,
            )
        )
        with self._database.transaction() as transaction:
            fresh = transaction.session.get_one(Checkout, order_id, with_for_update=True)
            fresh.session_id, fresh.url = created.id, created.url


def _take_turn(session: Session, owner_id: UUID) -> None:
    """Let a customer's orders be placed one after the other.

    Of two clicks at once, the second waits here and then finds the first one's order by its key, rather than a name
    that is taken or a node that has become full.
    """
    session.execute(select(User.id).where(User.id == owner_id).with_for_update(key_share=True))


def _find_by_key(session: Session, owner_id: UUID, key: str, digest: bytes) -> UUID | None:
    found = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.owner_id == owner_id, IdempotencyKey.key == key)
    ).one_or_none()
    if found is None:
        return None
    if found.request_hash != digest:
        raise IdempotencyMismatch(
            "this Idempotency-Key was used for another order: repeat the request as it was, or make a new key"
        )
    return found.order_id
