"""A judge that says what a test wants."""

from sqlalchemy.orm import Session

from api.operations.models import Operation
from api.orders.models import Order
from api.plans.document import PlanDocument
from api.plans.judgement import Judgement
from api.workloads.models import Workload


class FakeJudge:
    """Lets everything pass until told otherwise.

    Attributes:
        judgement: what it says of every plan.
        documents: what it was asked about, in order.
    """

    def __init__(self) -> None:
        self.judgement = Judgement()
        self.documents: list[PlanDocument] = []

    def judge(
        self, session: Session, order: Order, workload: Workload, operation: Operation, document: PlanDocument
    ) -> Judgement:
        """See ``PlanJudge``."""
        del session, order, workload, operation
        self.documents.append(document)
        return self.judgement
