"""Plans: what waits for a word, and one plan as a diff with the buttons to decide on it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session, selectinload

from api.auth.models import User
from api.errors import NotFound
from api.inventory.models import Node
from api.machines.models import Machine
from api.operations.models import Operation, OperationStatus
from api.plans.closing import LIVE
from api.plans.document import PlanStep
from api.plans.endpoints import ApprovalsDep
from api.plans.errors import PlanMoved, PlanTampered
from api.plans.models import Approval, Plan, PlanStatus
from api.platform.models import PlatformRun, RunStatus
from api.runtime import RuntimeDep, SessionDep
from api.web.dashboard import waiting_plans
from api.web.diff import SYMBOLS, view
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, go, page
from api.web.visitor import Operator, Support
from api.workloads.models import Workload

router = APIRouter()
_MAX_WAITING = 100


class ApproveForm(BaseModel):
    """A yes to exactly the plan with this hash."""

    hash: str
    reason: Reason


class RejectForm(BaseModel):
    """A no."""

    reason: Reason


@router.get("/admin/plans")
def list_plans(
    request: Request, visitor: Support, session: SessionDep, place: PlaceDep, status: Choice = ""
) -> Response:
    """List the plans that wait for somebody, and below them all plans, the newest first."""
    query = (
        select(Plan, Workload.name.label("workload"), Operation.kind.label("kind"))
        .join(Operation, Operation.id == Plan.operation_id)
        .join(Workload, Workload.id == Plan.workload_id)
    )
    if status:
        query = query.where(Plan.status == status if status in list(PlanStatus) else false())
    return page(
        request,
        visitor,
        "plans.html",
        waiting=session.execute(waiting_plans().limit(_MAX_WAITING)).all(),
        platform=session.scalars(_waiting_platform_runs()).all(),
        slice=cut(session, query, Plan.id, place),
        statuses=list(PlanStatus),
        chosen=status,
    )


@router.get("/admin/plans/{plan_id}")
def show_plan(plan_id: UUID, request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show a plan."""
    found = _find(session, plan_id)
    approvals = session.execute(
        select(Approval, User.email.label("email"))
        .join(User, User.id == Approval.user_id)
        .where(Approval.plan_id == plan_id)
        .order_by(Approval.id)
    ).all()
    plan: Plan = found.Plan
    is_waiting = plan.status in LIVE and found.Operation.status is OperationStatus.AWAITING_APPROVAL
    changing, same = view(PlanStep.model_validate(step, from_attributes=True) for step in plan.steps)
    return page(
        request,
        visitor,
        "plan.html",
        found=found,
        plan=plan,
        approvals=approvals,
        is_waiting=is_waiting,
        is_own=found.Operation.requested_by == visitor.principal.user_id,
        has_spoken=any(row.Approval.user_id == visitor.principal.user_id for row in approvals),
        newer=None if plan.status in LIVE else _newest(session, plan),
        changing=changing,
        same=same,
        counts=counts_of(changing),
    )


@router.post("/admin/plans/{plan_id}/approve")
def approve(plan_id: UUID, visitor: Operator, form: FormDep, approvals: ApprovalsDep, runtime: RuntimeDep) -> Response:
    """Approve exactly the plan that was shown; a plan that has moved is told with where to find the fresh one."""
    entered = parse(ApproveForm, form)
    try:
        is_final = approvals.approve(plan_id, visitor.principal, entered.hash, entered.reason)
    except (PlanMoved, PlanTampered) as refusal:
        fields = {**refusal.fields, "fresh_url": f"/admin/plans/{plan_id}/fresh"}
        raise type(refusal)(refusal.detail, **fields) from None
    said = "Approved: the operation is on its way." if is_final else "Approved. Somebody else has to approve it too."
    return done(runtime, visitor, f"/admin/plans/{plan_id}", Flash("good", said))


@router.post("/admin/plans/{plan_id}/reject")
def reject(plan_id: UUID, visitor: Operator, form: FormDep, approvals: ApprovalsDep, runtime: RuntimeDep) -> Response:
    """Reject a plan: its operation ends, and what was wanted is withdrawn."""
    approvals.reject(plan_id, visitor.principal, parse(RejectForm, form).reason)
    said = "Rejected: the operation has ended, and what was wanted is withdrawn."
    return done(runtime, visitor, f"/admin/plans/{plan_id}", Flash("good", said))


@router.get("/admin/plans/{plan_id}/fresh")
def show_fresh(plan_id: UUID, _visitor: Support, session: SessionDep) -> Response:
    """Lead to the newest plan of the same operation, or to the operation while that is still being made."""
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotFound("there is no such plan")
    newest = plan.id if plan.status in LIVE else _newest(session, plan)
    return go(f"/admin/plans/{newest}" if newest else f"/admin/operations/{plan.operation_id}")


def _waiting_platform_runs() -> Select[Any]:
    return select(PlatformRun).where(PlatformRun.status == RunStatus.AWAITING_APPROVAL).order_by(PlatformRun.id)


def _find(session: Session, plan_id: UUID) -> Any:
    found = session.execute(
        select(
            Plan, Operation, Workload, func.coalesce(Node.name, Machine.name).label("node"), User.email.label("email")
        )
        .join(Operation, Operation.id == Plan.operation_id)
        .join(Workload, Workload.id == Plan.workload_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .outerjoin(User, User.id == Operation.requested_by)
        .options(selectinload(Plan.steps))
        .where(Plan.id == plan_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such plan")
    return found


def _newest(session: Session, plan: Plan) -> UUID | None:
    """Return the newest plan of the same operation, if it is another."""
    query = select(Plan.id).where(Plan.operation_id == plan.operation_id, Plan.id > plan.id)
    return session.scalars(query.order_by(Plan.id.desc()).limit(1)).first()


def counts_of(changing: list[Any]) -> list[tuple[str, str, str, int]]:
    """Return how many steps there are of each kind: its name, its sign, its word, the number."""
    counted = [(op, sum(one.step.op is op for one in changing)) for op in SYMBOLS]
    return [(op.value, *SYMBOLS[op], number) for op, number in counted if number]
