"""Plans as staff see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.plans.document import PlanStep
from api.plans.models import Approval, Plan, PlanStatus, Verdict
from api.plans.store import document_of


class ApprovalView(BaseModel):
    """What one person said."""

    user_id: UUID
    verdict: Verdict
    reason: str
    at: datetime


class PlanSummary(BaseModel):
    """A plan in a list; prices are cents a month."""

    id: UUID
    operation_id: UUID
    workload_id: UUID
    status: PlanStatus
    summary: str
    hash: str
    price_before_cents: int
    price_after_cents: int
    currency: str
    approvals_needed: int
    approval_reasons: Sequence[str]
    created_at: datetime
    expires_at: datetime
    closed_reason: str | None

    @classmethod
    def of(cls, plan: Plan) -> "PlanSummary":
        """Show a plan without its steps."""
        return cls.model_validate(_fields(plan))


class PlanView(PlanSummary):
    """A plan with all that it is bound to."""

    generation: int
    start_digest: str | None
    versions: Mapping[str, Any]
    policy: Sequence[Mapping[str, Any]]
    steps: Sequence[PlanStep]
    approvals: Sequence[ApprovalView]

    @classmethod
    def of(cls, plan: Plan) -> "PlanView":
        """Show a plan; its steps and approvals must have been loaded."""
        return cls.model_validate(
            {
                **_fields(plan),
                "generation": plan.generation,
                "start_digest": plan.start_digest,
                "versions": plan.versions,
                "policy": plan.policy,
                "steps": document_of(plan).steps,
                "approvals": [_approval(approval) for approval in plan.approvals],
            }
        )


class ApproveRequest(BaseModel):
    """``hash`` is the plan's that was looked at: nothing else is approved."""

    model_config = ConfigDict(extra="forbid")

    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: Annotated[str, Field(max_length=500)] = ""


class RejectRequest(BaseModel):
    """Why not; the owner of the workload reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class Decision(BaseModel):
    """What became of a word: ``is_final`` once enough people have approved, or one has rejected."""

    is_final: bool


def _fields(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in PlanSummary.model_fields}


def _approval(approval: Approval) -> ApprovalView:
    return ApprovalView(
        user_id=approval.user_id, verdict=approval.verdict, reason=approval.reason, at=approval.created_at
    )
