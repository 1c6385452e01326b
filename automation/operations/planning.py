"""Nothing is applied that was not previewed: makes an attempt's plan and says whether it may go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.db.session import Database
from api.operations.events import LogLine, append
from api.operations.leases import Leased, Leases
from api.operations.models import OperationKind
from api.operations.results import AttemptEnd
from api.orders.fulfilment import lock_order
from api.plans.document import PlanDocument
from api.plans.judgement import PlanJudge
from api.plans.models import Plan
from api.plans.store import Gate, PlanStore, Preview
from api.state.store import StackStates, StateCorrupt, StateUnavailable
from api.workloads.models import Workload
from api.workloads.service import lock_workload
from automation.engine.contract import EngineAction, EngineJob, EngineOutcome, EngineSecrets
from automation.operations.engine_attempt import EngineAttempt, end_of

_TRIES = 3


@dataclass(frozen=True, slots=True)
class PlanGate:
    """Makes plans for one worker process.

    Attributes:
        versions: what this worker runs: program, CLI, plugins.
    """

    database: Database
    states: StackStates
    judge: PlanJudge
    versions: Mapping[str, str]

    def admit(
        self,
        lease: Leased,
        attempt: EngineAttempt,
        job: EngineJob,
        secrets: EngineSecrets,
        leases: Callable[[Session], Leases],
    ) -> AttemptEnd | PlanDocument:
        """Preview, store and judge; returns the plan if it may be applied now. Blocks for the preview.

        Raises:
            LeaseLost: if the operation is somebody else's now.
            EngineUnavailable: if no preview could be started.
        """
        preview_job = replace(job, action=_PREVIEWS[lease.kind])
        for _ in range(_TRIES):
            try:
                before = self.states.digest(lease.stack)
                result = attempt.preview(preview_job, secrets, makes_stack=before is None)
                if result.outcome is not EngineOutcome.SUCCEEDED:
                    return replace(end_of(result), was_begun=lease.attempt > 1)
                after = self.states.digest(lease.stack)
            except (StateCorrupt, StateUnavailable) as error:
                return AttemptEnd(
                    error_code=error.code,
                    error_detail=error.detail,
                    retryable=error.retryable,
                    was_begun=lease.was_applied,
                )
            if before in {None, after}:
                preview = Preview([dict(step) for step in result.steps], after, dict(self.versions))
                return self._store(lease, preview, leases)
        return AttemptEnd(
            error_code="state_moving", error_detail="The stack's state changes while it is looked at.", retryable=True
        )

    def _store(self, lease: Leased, preview: Preview, leases: Callable[[Session], Leases]) -> AttemptEnd | PlanDocument:
        with self.database.transaction() as transaction:
            session = transaction.session
            order_id = session.scalars(select(Workload.order_id).where(Workload.id == lease.workload_id)).one()
            order = lock_order(session, order_id)
            workload = lock_workload(session, lease.workload_id)
            operation = leases(session).hold(lease.operation_id, lease.fence)
            plan, gate = PlanStore(session).admit(self.judge, order, workload, operation, preview)
            line = LogLine("plan", f"Plan: {plan.summary}", {"plan": str(plan.id)})
            append(session, lease.operation_id, lease.attempt, [line])
            return _end(plan, gate) or PlanDocument.of(preview.steps)


_PREVIEWS = {OperationKind.APPLY: EngineAction.PREVIEW, OperationKind.DESTROY: EngineAction.PREVIEW_DESTROY}


def _end(plan: Plan, gate: Gate) -> AttemptEnd | None:
    if gate is Gate.OPEN:
        return None
    if gate is Gate.WAIT:
        reasons = "; ".join(plan.approval_reasons)
        return AttemptEnd(awaits_approval=True, error_detail=f"Waiting for an approval: {reasons}.", was_begun=False)
    return AttemptEnd(error_code="policy_refused", error_detail=plan.closed_reason, was_begun=False)
