"""An order's life has the moves that keep the promise, and no others."""

import pytest

from api.errors import IllegalTransition
from api.orders.models import OrderStatus as S
from api.orders.transitions import MOVES, check_move


def test_every_status_has_its_moves_listed() -> None:
    """A status that is added without moves would be a dead end by accident."""
    assert set(MOVES) == set(S)


@pytest.mark.parametrize("status", [status for status in S if status is not S.REFUNDED])
def test_money_can_go_back_from_wherever_it_can_have_come(status: S) -> None:
    """Paid means delivered, refunded, or visibly pending: from everywhere there is a way to ``refunded``."""
    reached, edge = {status}, {status}
    while edge:
        edge = {new for old in edge for new in MOVES[old]} - reached
        reached |= edge
    assert S.REFUNDED in reached


def test_a_refunded_order_is_closed_for_good() -> None:
    """Nothing follows a refund: a customer who wants the thing after all orders again."""
    assert MOVES[S.REFUNDED] == frozenset()


def test_an_unpaid_order_cannot_be_delivered() -> None:
    """The error names both states."""
    with pytest.raises(IllegalTransition, match="'pending_payment' cannot become 'delivered'") as caught:
        check_move(S.PENDING_PAYMENT, S.DELIVERED)
    assert caught.value.fields == {"status_now": "pending_payment"}


def test_an_expired_order_is_never_paid_only_refunded() -> None:
    """What it held may be somebody else's by now."""
    with pytest.raises(IllegalTransition):
        check_move(S.EXPIRED, S.PAID)
    check_move(S.EXPIRED, S.REFUND_DUE)
