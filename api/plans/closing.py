"""Closing plans that can no longer be applied."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from api.audit.trail import SYSTEM, AuditEntry, record
from api.plans.models import Plan, PlanStatus

LIVE = (PlanStatus.CURRENT, PlanStatus.APPROVED)
"""Plans that can still be applied; an operation has at most one."""


def supersede_plans(session: Session, operation_id: UUID, reason: str) -> None:
    """Close an operation's live plan because something that it was bound to has moved."""
    close_plans(session, operation_id, PlanStatus.SUPERSEDED, reason)


def close_plans(session: Session, operation_id: UUID, status: PlanStatus, reason: str) -> None:
    """Close an operation's live plan, if it has one."""
    closed = session.scalars(
        update(Plan)
        .where(Plan.operation_id == operation_id, Plan.status.in_(LIVE))
        .values(status=status, closed_reason=reason)
        .returning(Plan)
        .execution_options(synchronize_session="fetch", populate_existing=True)
    )
    for plan in closed.all():
        record_plan(session, plan, status, reason)


def record_plan(session: Session, plan: Plan, status: PlanStatus, reason: str) -> None:
    """Write to the audit trail what became of a plan, by the control plane's own rules."""
    record(
        session,
        AuditEntry(
            action="plan.status",
            actor=SYSTEM,
            subject_type="plan",
            subject_id=plan.id,
            reason=reason,
            plan_id=plan.id,
            diff={"operation": plan.operation_id, "hash": plan.hash, "summary": plan.summary},
            cost_before_cents=plan.price_before_cents,
            cost_after_cents=plan.price_after_cents,
            result=status.value,
        ),
    )
