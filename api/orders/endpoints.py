"""Orders."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response, status

from api.auth.principal import Principal, require
from api.orders.models import Order, OrderStatus
from api.orders.placement import OrderPlacement
from api.orders.repository import OrderRepository
from api.orders.schemas import OrderRequest, OrderView
from api.pages import Page, PageDep, fetch_page
from api.runtime import RuntimeDep, SessionDep

router = APIRouter(tags=["orders"])
Buyer = Annotated[Principal, require("orders:write")]
Reader = Annotated[Principal, require("orders:read")]


def get_placement(runtime: RuntimeDep) -> OrderPlacement:
    """Build the use case on the process's long-lived parts."""
    checkout_time = timedelta(minutes=runtime.settings.checkout_minutes)
    return OrderPlacement(runtime.database, runtime.payments, runtime.vault, checkout_time)


PlacementDep = Annotated[OrderPlacement, Depends(get_placement)]


@router.post("/orders", status_code=status.HTTP_201_CREATED)
def place_order(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: OrderRequest,
    principal: Buyer,
    placement: PlacementDep,
    runtime: RuntimeDep,
    response: Response,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=128, pattern=r"^[A-Za-z0-9_.:-]+$")],
) -> OrderView:
    """Reserve everything and return the page on which to pay.

    Repeating the call with the same ``Idempotency-Key`` and body returns the same order, with status 200.
    """
    placed = placement.place(principal.user_id, request, idempotency_key)
    if not placed.is_new:
        response.status_code = status.HTTP_200_OK
    with runtime.database.transaction() as transaction:
        return _view(OrderRepository(transaction.session, principal.user_id).get(placed.order_id))


@router.get("/orders")
def list_orders(principal: Reader, session: SessionDep, page: PageDep) -> Page[OrderView]:
    """List your orders, newest first."""
    return fetch_page(session, OrderRepository(session, principal.user_id).query(), Order.id, page, _view)


@router.get("/orders/{order_id}")
def get_order(order_id: UUID, principal: Reader, session: SessionDep) -> OrderView:
    """Return one of your orders."""
    return _view(OrderRepository(session, principal.user_id).get(order_id))


def _view(order: Order) -> OrderView:
    can_be_paid = order.status is OrderStatus.PENDING_PAYMENT
    return OrderView(
        id=order.id,
        status=order.status,
        description=order.description,
        price_cents=order.price_cents,
        currency=order.currency,
        workload_id=order.workload.id,
        workload_name=order.workload.name,
        kind=order.workload.kind,
        checkout_url=order.checkout.url if can_be_paid else None,
        created_at=order.created_at,
        paid_at=order.paid_at,
        delivered_at=order.delivered_at,
        closed_reason=order.closed_reason,
    )
