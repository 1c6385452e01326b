"""The judge of the running system: policy and approval rules on what the database knows."""

from datetime import timedelta

from sqlalchemy.orm import Session

from api.operations.models import Operation
from api.orders.models import Order
from api.plans.document import PlanDocument
from api.plans.judgement import Judgement
from api.policy.gather import load_context
from api.workloads.models import Workload
from components.policy.approval import ApprovalFacts, approvals_for
from components.policy.context import PolicyContext, known
from components.policy.evaluate import evaluate, refusal


class ServiceJudge:
    """Implements ``PlanJudge`` with the policy in force."""

    def judge(
        self, session: Session, order: Order, workload: Workload, operation: Operation, document: PlanDocument
    ) -> Judgement:
        """See ``PlanJudge``; the queries are those of ``load_context``."""
        del order  # it is in the session already
        context = load_context(session, workload, operation)
        results = evaluate(document, context)
        need = approvals_for(document, _facts(context), context.settings)
        return Judgement(
            policy=[result.document() for result in results],
            refusal=refusal(results),
            people=need.people,
            reasons=need.reasons,
            lifetime=timedelta(hours=context.settings.approval_lifetime_hours),
        )


def _facts(context: PolicyContext) -> ApprovalFacts:
    return ApprovalFacts(
        has_consent=bool(context.has_consent),
        holds_data=bool(context.holds_data),
        price_before_cents=known(context.price_before_cents, "the price before"),
        price_after_cents=known(context.price_after_cents, "the price after"),
        account_age=known(context.account_age, "the account's age"),
    )
