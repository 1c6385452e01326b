"""Plans: staff look at them, and operators decide."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.errors import NotFound
from api.pages import Page, PageDep, fetch_page
from api.plans.approvals import ApprovalService
from api.plans.models import Plan, PlanStatus
from api.plans.schemas import ApproveRequest, Decision, PlanSummary, PlanView, RejectRequest
from api.runtime import RuntimeDep, SessionDep

router = APIRouter(prefix="/admin/plans", tags=["plans"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Operator = Annotated[Principal, require_role(Role.OPERATOR)]


def get_approvals(runtime: RuntimeDep) -> ApprovalService:
    """Build the use case on the process's long-lived parts."""
    lifetime = runtime.settings.operation_lifetime_seconds
    return ApprovalService(runtime.database, runtime.jobs, runtime.states, lifetime)


ApprovalsDep = Annotated[ApprovalService, Depends(get_approvals)]


@router.get("")
def list_plans(
    _viewer: Viewer,
    session: SessionDep,
    page: PageDep,
    status: Annotated[PlanStatus | None, Query(description="only plans of this status")] = None,
) -> Page[PlanSummary]:
    """List plans, newest first; ``status=current`` with approvals needed are those that wait for somebody."""
    query = select(Plan)
    if status is not None:
        query = query.where(Plan.status == status)
    return fetch_page(session, query, Plan.id, page, PlanSummary.of)


@router.get("/{plan_id}")
def get_plan(plan_id: UUID, _viewer: Viewer, session: SessionDep) -> PlanView:
    """Return a plan with its steps, its policy results and what has been said about it."""
    plan = session.get(Plan, plan_id, options=[selectinload(Plan.steps), selectinload(Plan.approvals)])
    if plan is None:
        raise NotFound("there is no such plan")
    return PlanView.of(plan)


@router.post("/{plan_id}/approve")
def approve_plan(plan_id: UUID, body: ApproveRequest, person: Operator, approvals: ApprovalsDep) -> Decision:
    """Approve exactly the plan with this hash; 409 if anything that it is bound to has moved."""
    return Decision(is_final=approvals.approve(plan_id, person, body.hash, body.reason))


@router.post("/{plan_id}/reject")
def reject_plan(plan_id: UUID, body: RejectRequest, person: Operator, approvals: ApprovalsDep) -> Decision:
    """Reject a plan: what was wanted is withdrawn, and an order that cannot be delivered is refunded."""
    approvals.reject(plan_id, person, body.reason)
    return Decision(is_final=True)
