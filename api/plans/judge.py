"""The judge of the running system: policy and approval rules on what the database knows."""

from sqlalchemy.orm import Session

from api.operations.models import Operation
from api.orders.models import Order
from api.plans.document import PlanDocument
from api.plans.judgement import Judgement
from api.workloads.models import Workload


class ServiceJudge:
    """Implements ``PlanJudge``."""

    def judge(
        self, session: Session, order: Order, workload: Workload, operation: Operation, document: PlanDocument
    ) -> Judgement:
        """See ``PlanJudge``."""
        del session, order
        if document.destroys_data and not operation.has_consent and workload.applied_generation > 0:
            return Judgement(people=1, reasons=("it would destroy what the customer has stored",))
        return Judgement()
