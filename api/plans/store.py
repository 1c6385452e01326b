"""Plans in the database: stored with their judgement, read back with proof that nobody has edited them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload
from uuid_utils.compat import uuid7

from api.inventory.models import Node, Site
from api.machines.models import Machine
from api.operations.models import Operation, OperationKind
from api.orders.models import Order
from api.plans.binding import Binding
from api.plans.closing import LIVE, record_plan, supersede_plans
from api.plans.document import PlanDocument, PlanStep, PropertyChange
from api.plans.errors import PlanTampered
from api.plans.judgement import Judgement, PlanJudge
from api.plans.models import Approval, Plan, PlanStatus, PlanStepRow, Verdict
from api.plans.words import describe, monthly
from api.workloads.models import Workload


class Gate(Enum):
    """What an attempt may do with the plan it has just made."""

    OPEN = auto()
    """Apply it."""
    WAIT = auto()
    """A person has to agree first."""
    REFUSED = auto()
    """Policy forbids it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an engine's preview of an operation found, and in which circumstances."""

    steps: Sequence[dict[str, Any]]
    start_digest: str | None
    versions: dict[str, str]


class PlanStore:
    """Stores and reads plans; the caller holds the locks of order, workload and operation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def admit(
        self, judge: PlanJudge, order: Order, workload: Workload, operation: Operation, preview: Preview
    ) -> tuple[Plan, Gate]:
        """Store a fresh preview as the operation's plan and say whether it may be applied now.

        A plan that is previewed again is recognised by its hash, and keeps its approvals; so does what was left of
        one when its engine was cut off. Anything else supersedes what was approved before. Rules are asked each time,
        and approvals counted, so that no edited row opens the gate.
        """
        document = PlanDocument.of(preview.steps)
        binding = bind(order, workload, operation, preview)
        judgement = judge.judge(self._session, order, workload, operation, document)
        latest = self.latest(operation.id)
        if latest is not None and not self._is_genuine(latest):
            latest = None
        if (
            latest is not None
            and latest.hash == binding.hash(document)
            and latest.status in (*LIVE, PlanStatus.APPLIED)
        ):
            plan = latest
            plan.policy, plan.approvals_needed = [dict(result) for result in judgement.policy], judgement.people
        else:
            supersede_plans(self._session, operation.id, _reason(latest, binding))
            plan = self._insert(document, binding, workload, operation, judgement)
            if latest is not None and self._is_rest_of(document, binding, latest):
                plan.approvals_needed, plan.approval_reasons, plan.continues_id = 0, [], latest.id
        return plan, self._decide(plan, judgement, operation)

    def _decide(self, plan: Plan, judgement: Judgement, operation: Operation) -> Gate:
        gate, reason = Gate.OPEN, "policy allows it, and nobody has to approve it any more"
        if judgement.refusal is not None:
            plan.status, plan.closed_reason, gate = PlanStatus.REFUSED, judgement.refusal, Gate.REFUSED
            reason = judgement.refusal
        elif plan.approvals_needed > self.approvals(plan, operation.requested_by):
            plan.status, gate = PlanStatus.CURRENT, Gate.WAIT
            reason = "; ".join(plan.approval_reasons)
        else:
            plan.status = PlanStatus.APPLIED
        self._session.flush()
        record_plan(self._session, plan, plan.status, reason)
        return gate

    def approvals(self, plan: Plan, requested_by: UUID | None) -> int:
        """Count the different people, other than who asked, who approved exactly this plan."""
        return self._session.execute(
            select(func.count(func.distinct(Approval.user_id))).where(
                Approval.plan_id == plan.id,
                Approval.verdict == Verdict.APPROVE,
                Approval.plan_hash == plan.hash,
                Approval.user_id.is_distinct_from(requested_by),
            )
        ).scalar_one()

    def _is_genuine(self, plan: Plan) -> bool:
        try:
            self.check(plan)
        except PlanTampered as error:
            plan.status, plan.closed_reason = PlanStatus.SUPERSEDED, error.detail
            self._session.flush()
            record_plan(self._session, plan, plan.status, error.detail)
            return False
        return True

    def latest(self, operation_id: UUID) -> Plan | None:
        """Return an operation's newest plan with its steps, or None."""
        return self._session.scalars(
            select(Plan)
            .where(Plan.operation_id == operation_id)
            .order_by(Plan.id.desc())
            .limit(1)
            .options(selectinload(Plan.steps))
            .execution_options(populate_existing=True)
        ).one_or_none()

    def check(self, plan: Plan) -> None:
        """Prove that a stored plan is what was previewed.

        Raises:
            PlanTampered: if its rows no longer fit its hash.
        """
        if binding_of(plan).hash(document_of(plan)) != plan.hash:
            raise PlanTampered("this plan was changed in the database after its preview; it will not be applied")

    def _is_rest_of(self, document: PlanDocument, binding: Binding, latest: Plan) -> bool:
        """Tell whether ``document`` finishes an approved plan whose engine was cut off half-way."""
        if latest.status is not PlanStatus.APPLIED or not _was_approved(latest):
            return False
        before = binding_of(latest)
        same = (before.generation, before.versions, before.prices) == (
            binding.generation,
            binding.versions,
            binding.prices,
        )
        return same and document.continues(document_of(latest))

    def _insert(
        self, document: PlanDocument, binding: Binding, workload: Workload, operation: Operation, judgement: Judgement
    ) -> Plan:
        plan = Plan(
            id=uuid7(),
            operation_id=operation.id,
            workload_id=workload.id,
            status=PlanStatus.CURRENT,
            generation=binding.generation,
            hash=binding.hash(document),
            start_digest=binding.start_digest,
            versions=dict(binding.versions),
            price_before_cents=binding.price_before_cents,
            price_after_cents=binding.price_after_cents,
            currency=binding.currency,
            summary=self._summary(document, binding, workload),
            policy=[dict(result) for result in judgement.policy],
            approval_reasons=list(judgement.reasons),
            approvals_needed=judgement.people,
            expires_at=self._now() + judgement.lifetime,
            steps=[_row(position, step) for position, step in enumerate(document.steps)],
        )
        self._session.add(plan)
        self._session.flush()
        return plan

    def _summary(self, document: PlanDocument, binding: Binding, workload: Workload) -> str:
        price = monthly(binding.price_after_cents, binding.currency)
        return describe(document, self._place(workload), price)

    def _place(self, workload: Workload) -> str:
        """Say where a workload is."""
        model, word, id_ = (
            (Node, "node", workload.node_id)
            if workload.machine_id is None
            else (Machine, "machine", workload.machine_id)
        )
        query = select(model.name, Site.name).join(Site, Site.id == model.site_id).where(model.id == id_)
        name, site = self._session.execute(query).one()
        return f"{site} {word} {name}"

    def _now(self) -> datetime:
        return self._session.execute(select(func.now())).scalar_one()


def bind(order: Order, workload: Workload, operation: Operation, preview: Preview) -> Binding:
    """Return what a preview is bound to."""
    price_before, price_after = prices(order, workload, operation)
    return Binding(
        generation=operation.generation,
        start_digest=preview.start_digest,
        versions=preview.versions,
        price_before_cents=price_before,
        price_after_cents=price_after,
        currency=order.currency,
    )


def prices(order: Order, workload: Workload, operation: Operation) -> tuple[int, int]:
    """Return what the workload costs before and after an operation, in cents a month."""
    before = order.price_cents if workload.applied_generation > 0 else 0
    return before, 0 if operation.kind is OperationKind.DESTROY else order.price_cents


def binding_of(plan: Plan) -> Binding:
    """Return what a stored plan is bound to."""
    return Binding(
        generation=plan.generation,
        start_digest=plan.start_digest,
        versions=plan.versions,
        price_before_cents=plan.price_before_cents,
        price_after_cents=plan.price_after_cents,
        currency=plan.currency,
    )


def document_of(plan: Plan) -> PlanDocument:
    """Return a stored plan's document; its steps must have been loaded."""
    return PlanDocument(
        steps=tuple(
            PlanStep(
                urn=row.urn,
                type=row.type,
                op=row.op,
                name=row.name,
                inputs=row.inputs,
                changes=tuple(PropertyChange.model_validate(change) for change in row.changes),
            )
            for row in plan.steps
        )
    )


def _row(position: int, step: PlanStep) -> PlanStepRow:
    return PlanStepRow(
        position=position,
        urn=step.urn,
        type=step.type,
        op=step.op,
        name=step.name,
        inputs=dict(step.inputs),
        changes=[change.model_dump(mode="json") for change in step.changes],
    )


def _was_approved(plan: Plan) -> bool:
    return plan.approvals_needed > 0 or plan.continues_id is not None


def _reason(latest: Plan | None, binding: Binding) -> str:
    moved = None if latest is None else binding_of(latest).moved_to(binding)
    return moved or "a fresh preview shows other steps"
