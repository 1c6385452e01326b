"""The legal moves of an order's life. Paid means delivered, refunded, or visibly pending."""

from collections.abc import Mapping
from types import MappingProxyType

from api.errors import IllegalTransition
from api.orders.models import OrderStatus as S

MOVES: Mapping[S, frozenset[S]] = MappingProxyType(
    {
        S.PENDING_PAYMENT: frozenset({S.PAID, S.EXPIRED, S.REFUND_DUE}),
        S.PAID: frozenset({S.DELIVERED, S.REFUND_DUE, S.REFUNDED}),
        S.DELIVERED: frozenset({S.REFUND_DUE, S.REFUNDED}),
        S.EXPIRED: frozenset({S.REFUND_DUE}),
        S.REFUND_DUE: frozenset({S.REFUNDED}),
        S.REFUNDED: frozenset(),
    }
)
"""``expired`` to ``refund_due`` is the customer who paid in the very moment the checkout closed."""


def check_move(old: S, new: S) -> None:
    """Refuse a move that the life of an order does not have.

    Raises:
        IllegalTransition: naming both states.
    """
    if new not in MOVES[old]:
        raise IllegalTransition(f"an order that is '{old}' cannot become '{new}'", status_now=old.value)
