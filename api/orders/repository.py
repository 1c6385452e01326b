"""A customer's orders. Built with the owner, so that nobody else's can be asked for."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from api.errors import NotFound
from api.orders.models import Order


class OrderRepository:
    """Reads the orders of one owner."""

    def __init__(self, session: Session, owner_id: UUID) -> None:
        self._session = session
        self._owner_id = owner_id

    def query(self) -> Select[Order]:
        """Select the owner's orders with what a view needs."""
        return (
            select(Order)
            .where(Order.owner_id == self._owner_id)
            .options(joinedload(Order.workload), joinedload(Order.checkout))
        )

    def get(self, order_id: UUID) -> Order:
        """Return one order.

        Raises:
            NotFound: if the owner has no such order.
        """
        order = self._session.scalars(self.query().where(Order.id == order_id)).one_or_none()
        if order is None:
            raise NotFound("you have no such order")
        return order
