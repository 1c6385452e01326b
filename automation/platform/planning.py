"""Nothing is applied that was not previewed: makes an attempt's plan and says whether it may go on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from api.db.session import Database
from api.operations.events import LogLine
from api.operations.results import AttemptEnd
from api.plans.document import PlanDocument, StepOp
from api.plans.store import Gate, Preview
from api.platform.customers import check_customers
from api.platform.errors import CustomersOnStack
from api.platform.leases import LeasedRun, RunWrites
from api.platform.models import RunAction
from api.platform.plans import RunPlans
from automation.engine.contract import EngineAction, EngineJob, EngineOutcome, EngineResult, EngineSecrets
from automation.operations.engine_attempt import EngineAttempt, end_of
from automation.platform.locks import LockedStates

_TRIES = 3
_PREVIEWS = {
    RunAction.PREVIEW: EngineAction.PREVIEW,
    RunAction.UP: EngineAction.PREVIEW,
    RunAction.DESTROY: EngineAction.PREVIEW_DESTROY,
    RunAction.REFRESH: EngineAction.PREVIEW_REFRESH,
}


@dataclass(frozen=True, slots=True)
class RunPlanner:
    """Makes plans for one worker process.

    Attributes:
        versions: what this worker runs: program, CLI, plugins.
    """

    database: Database
    states: LockedStates
    versions: Mapping[str, str]

    def admit(
        self,
        lease: LeasedRun,
        attempt: EngineAttempt,
        job: EngineJob,
        secrets: EngineSecrets,
        writes: Callable[[Session], RunWrites],
    ) -> AttemptEnd | None:
        """Preview, store and judge; None if the plan may be applied now. Blocks for the preview.

        Raises:
            LeaseLost: if the run is somebody else's now.
            EngineUnavailable: if no preview could be started.
            StateCorrupt: if the stack's state cannot be read; likewise StateUnavailable.
        """
        preview_job = replace(job, action=_PREVIEWS[lease.action])
        for _ in range(_TRIES):
            before = self.states.digest(lease.stack)
            if before is None and lease.action is RunAction.REFRESH:
                return _failed("no_stack", "There is no such stack yet, so nothing to compare: bring it up first.")
            result = attempt.preview(preview_job, secrets, makes_stack=before is None)
            if result.outcome is not EngineOutcome.SUCCEEDED:
                return replace(end_of(result), was_begun=lease.attempt > 1)
            after = self.states.digest(lease.stack)
            if before in {None, after}:
                return self._store(lease, Preview(_steps(result), after, dict(self.versions)), writes)
        return _failed("state_moving", "The stack's state changes while it is looked at.", retryable=True)

    def _store(self, lease: LeasedRun, preview: Preview, writes: Callable[[Session], RunWrites]) -> AttemptEnd | None:
        document = PlanDocument.of(preview.steps)
        counts = {op: number for op, number in document.counts().items() if op != StepOp.SAME}
        with self.database.transaction() as transaction:
            mine = writes(transaction.session)
            run = mine.hold()
            try:
                check_customers(transaction.session, run)
            except CustomersOnStack as error:
                return _failed(error.code, f"{error.detail[:1].upper()}{error.detail[1:]}.")
            plan, gate = RunPlans(transaction.session).admit(run, preview)
            mine.log([LogLine("plan", f"Plan: {plan.summary}", {"plan": str(plan.id)})])
        if lease.action.only_looks or not document.changing:
            return AttemptEnd(changes=counts)
        if gate is Gate.REFUSED:
            return _failed("policy_refused", f"Policy forbids it: {plan.closed_reason}.")
        if gate is Gate.WAIT:
            detail = "Waiting for an administrator to approve the plan."
            return AttemptEnd(awaits_approval=True, error_detail=detail, was_begun=False, changes=counts)
        return None


def _steps(result: EngineResult) -> list[dict[str, Any]]:
    return [dict(step) for step in result.steps]


def _failed(code: str, detail: str, *, retryable: bool = False) -> AttemptEnd:
    return AttemptEnd(error_code=code, error_detail=detail, retryable=retryable, was_begun=False)
