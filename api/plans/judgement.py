"""What policy and approval rules say of a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from api.operations.models import Operation
from api.orders.models import Order
from api.plans.document import PlanDocument
from api.workloads.models import Workload


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows for one plan.

    Attributes:
        policy: each rule's result, ``{rule, severity, passed, message}``.
        refusal: the first mandatory rule's message that forbids the plan; None if all is well.
        people: how many different people must approve.
        reasons: why, in sentences.
        lifetime: how long they have.
    """

    policy: Sequence[Mapping[str, Any]] = ()
    refusal: str | None = None
    people: int = 0
    reasons: Sequence[str] = ()
    lifetime: timedelta = timedelta(days=1)


class PlanJudge(Protocol):
    """Judges plans; a few queries, no engine."""

    def judge(
        self, session: Session, order: Order, workload: Workload, operation: Operation, document: PlanDocument
    ) -> Judgement:
        """Return what policy and approval rules say of a plan for a locked workload."""
