"""Accounts have a monthly limit, and it is asked before anybody is charged."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, update
from uuid_utils.compat import uuid7

from api.auth.models import User
from api.errors import SpendLimitReached
from api.orders.models import Order, OrderStatus
from api.policy.models import PolicyVersion
from components.policy.settings import PolicySettings
from tests.fixtures.operations import at_once
from tests.fixtures.shop import Shop


def _limit(shop: Shop, person: UUID, **cents: int) -> None:
    """Put a policy in force."""
    document = PolicySettings(**cents).model_dump(mode="json")
    row = PolicyVersion(version=1, document=document, set_by=person, reason="a test")
    shop.change(lambda session: session.add(row))


def test_the_order_that_would_break_the_limit_is_refused_before_any_charge(shop: Shop) -> None:
    """Unpaid orders count; the answer says what is held and what may be."""
    owner = shop.customer()
    price = shop.order(shop.place(owner)).price_cents
    _limit(shop, owner, new_account_spend_cents=2 * price)
    shop.place(owner)
    with pytest.raises(SpendLimitReached) as refused:
        shop.place(owner)
    assert (refused.value.fields["limit_cents"], refused.value.fields["spent_cents"]) == (2 * price, 2 * price)
    assert len(shop.all(Order)) == 2


def test_an_account_that_has_proven_itself_may_spend_more(shop: Shop) -> None:
    """A new one may not."""
    owner = shop.customer()
    price = shop.order(shop.place(owner)).price_cents
    _limit(shop, owner, new_account_spend_cents=price, account_spend_cents=10 * price)
    long_ago = func.now() - timedelta(days=400)
    shop.change(lambda session: session.execute(update(User).where(User.id == owner).values(created_at=long_ago)))
    assert shop.order(shop.place(owner)).status is OrderStatus.PENDING_PAYMENT


def test_an_order_that_was_let_go_counts_no_longer(shop: Shop) -> None:
    """Neither does a workload that is gone."""
    owner = shop.customer()
    first = shop.place(owner)
    _limit(shop, owner, new_account_spend_cents=shop.order(first).price_cents)
    shop.fulfil(first, lambda fulfilment, order: fulfilment.expiry(order))
    assert shop.order(shop.place(owner)).status is OrderStatus.PENDING_PAYMENT


def test_of_two_last_orders_at_once_one_is_placed(shop: Shop) -> None:
    """Each sees the other's."""
    owner = shop.customer()
    price = shop.order(shop.place(owner)).price_cents
    _limit(shop, owner, new_account_spend_cents=2 * price)

    def place(index: int) -> str:
        try:
            shop.place(owner, key=f"key-{uuid7()}", name=f"last-{index}")
        except SpendLimitReached:
            return "refused"
        return "placed"

    assert sorted(at_once(2, place)) == ["placed", "refused"]
