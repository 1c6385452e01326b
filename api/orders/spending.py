"""An account's limit is asked before anybody is charged: a plan that policy refuses later costs a refund."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.auth.models import User
from api.errors import SpendLimitReached
from api.orders.models import Order
from api.policy.settings import current_policy
from api.workloads.models import Workload, WorkloadStatus


def check_spend(session: Session, owner_id: UUID, price_cents: int) -> None:
    """Refuse an order that would take an account beyond its monthly limit; unpaid orders count, for they hold as much.

    The caller has the account's row locked, so that two orders at once cannot both be the last. Two queries.

    Raises:
        SpendLimitReached: saying what is held, and how much may be.
    """
    settings = current_policy(session)
    held = select(func.coalesce(func.sum(Order.price_cents), 0)).join(Workload, Workload.order_id == Order.id)
    spent, since, now = session.execute(
        select(
            held.where(Workload.owner_id == owner_id, Workload.status != WorkloadStatus.DELETED).scalar_subquery(),
            User.created_at,
            func.now(),
        ).where(User.id == owner_id)
    ).one()
    is_new = now - since < timedelta(hours=settings.new_account_hours)
    limit = settings.new_account_spend_cents if is_new else settings.account_spend_cents
    if spent + price_cents > limit:
        whose = "a new account" if is_new else "an account"
        raise SpendLimitReached(
            f"with this order you would spend {spent + price_cents} cents a month, and {whose} may spend {limit}: "
            "cancel something, let unpaid orders expire, or ask support for more; nothing was charged",
            limit_cents=limit,
            spent_cents=int(spent),
        )
