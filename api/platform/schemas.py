"""Platform stacks, runs and plans as staff see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.plans.document import PlanStep
from api.plans.models import PlanStatus, Verdict
from api.plans.schemas import ApprovalView
from api.platform.models import PlatformApproval, PlatformPlan, PlatformRun, RunAction, RunStatus
from api.platform.plans import document_of
from api.platform.repository import KnownStack
from components.specs.platform import PlatformKind

Reason = Annotated[str, Field(min_length=3, max_length=500)]
_LONGEST_SPEC = 200_000


class RunView(BaseModel):
    """A run. ``error_detail`` is a sentence, ``error_code`` for programs; ``attention`` is for a person to settle."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    stack: str
    action: RunAction
    status: RunStatus
    requested_by: UUID
    reason: str
    refreshes: bool
    attempts: int
    waits_for: str | None
    changes: Mapping[str, Any] | None
    error_code: str | None
    error_detail: str | None
    attention: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, run: PlatformRun) -> "RunView":
        """Show a run."""
        return cls.model_validate(run)


class PlatformPlanView(BaseModel):
    """A plan with all that it is bound to."""

    id: UUID
    run_id: UUID
    status: PlanStatus
    summary: str
    hash: str
    start_digest: str | None
    versions: Mapping[str, Any]
    approvals_needed: int
    created_at: datetime
    expires_at: datetime
    closed_reason: str | None
    steps: Sequence[PlanStep]
    approvals: Sequence[ApprovalView]

    @classmethod
    def of(cls, plan: PlatformPlan) -> "PlatformPlanView":
        """Show a plan; its approvals must have been loaded."""
        plain = {name: getattr(plan, name) for name in cls.model_fields if name not in {"steps", "approvals"}}
        approvals = [_approval(approval) for approval in plan.approvals]
        return cls(**plain, steps=document_of(plan).steps, approvals=approvals)


class RunDetail(RunView):
    """A run with its configuration and its newest plan."""

    spec: Mapping[str, Any]
    plan: PlatformPlanView | None


class StackView(BaseModel):
    """A platform stack; ``reported_at`` is when it last told Inventory what it made."""

    name: str
    kind: PlatformKind | None
    reported_at: datetime | None
    last_run: RunView | None

    @classmethod
    def of(cls, stack: KnownStack) -> "StackView":
        """Show a stack."""
        run = None if stack.last_run is None else RunView.of(stack.last_run)
        return cls(name=stack.name, kind=stack.kind, reported_at=stack.reported_at, last_run=run)


class StackDetail(StackView):
    """A stack with its configuration, as a document and as YAML."""

    spec: Mapping[str, Any]
    yaml: str


class StackList(BaseModel):
    """All stacks. ``is_set_up`` says whether runs can be asked for, ``hint`` what to do if not."""

    is_set_up: bool
    hint: str | None
    stacks: Sequence[StackView]


class RunRequest(BaseModel):
    """What is to be done with a stack.

    ``configuration`` is YAML, the value of ``slipway:spec``; without it the last one known is taken. A destroy needs
    the stack's name again in ``confirmation``.
    """

    model_config = ConfigDict(extra="forbid")

    action: RunAction
    reason: Reason
    configuration: Annotated[str, Field(max_length=_LONGEST_SPEC)] | None = None
    refreshes: bool = False
    confirmation: Annotated[str, Field(max_length=100)] = ""


class CancelRequest(BaseModel):
    """Why a run is ended early."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class RejectPlatformRequest(CancelRequest):
    """Why not."""


def _approval(approval: PlatformApproval) -> ApprovalView:
    return ApprovalView(
        user_id=approval.user_id, verdict=Verdict(approval.verdict), reason=approval.reason, at=approval.created_at
    )
