"""Closing plans that can no longer be applied."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from api.plans.models import Plan, PlanStatus

LIVE = (PlanStatus.CURRENT, PlanStatus.APPROVED)
"""Plans that can still be applied; an operation has at most one."""


def supersede_plans(session: Session, operation_id: UUID, reason: str) -> None:
    """Close an operation's live plan because something that it was bound to has moved."""
    close_plans(session, operation_id, PlanStatus.SUPERSEDED, reason)


def close_plans(session: Session, operation_id: UUID, status: PlanStatus, reason: str) -> None:
    """Close an operation's live plan, if it has one."""
    session.execute(
        update(Plan)
        .where(Plan.operation_id == operation_id, Plan.status.in_(LIVE))
        .values(status=status, closed_reason=reason)
        .execution_options(synchronize_session="fetch")
    )
