"""The provider's own stacks: staff look, an administrator asks, another one approves."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, status
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.db.session import Transaction
from api.errors import NotFound
from api.jobs import Job
from api.operations.stream import LARGEST_ID
from api.pages import Page, PageDep, fetch_page
from api.plans.schemas import ApproveRequest, Decision
from api.platform.configuration import Configurations, get_configurations
from api.platform.decisions import PlatformDecisions
from api.platform.errors import HOW_TO_TURN_ON, PlatformRunsOff
from api.platform.log import follow_run
from api.platform.models import PlatformPlan, PlatformRun, RunAction
from api.platform.repository import known_stack, known_stacks
from api.platform.schemas import (
    CancelRequest,
    PlatformPlanView,
    RejectPlatformRequest,
    RunDetail,
    RunRequest,
    RunView,
    StackDetail,
    StackList,
    StackView,
)
from api.platform.service import PlatformService, RunWish
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep

router = APIRouter(prefix="/admin/platform", tags=["platform"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Admin = Annotated[Principal, require_role(Role.ADMIN)]
StackName = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,63}$")]
ConfigurationsDep = Annotated[Configurations, Depends(get_configurations)]


def get_decisions(runtime: RuntimeDep) -> PlatformDecisions:
    """Build the use case on the process's long-lived parts."""
    lifetime = runtime.settings.platform_run_lifetime_seconds
    return PlatformDecisions(runtime.database, runtime.jobs, runtime.states, lifetime)


DecisionsDep = Annotated[PlatformDecisions, Depends(get_decisions)]


def ask(
    runtime: Runtime, transaction: Transaction, person: Principal, wish: RunWish, configurations: Configurations
) -> PlatformRun:
    """Make a run and tell a worker, once the transaction is durable.

    Raises:
        PlatformRunsOff: if no worker has credentials for it.
        InvalidInput: if the stack's name or its last known configuration does not fit this release.
    """
    if runtime.settings.platform_environment_file is None:
        raise PlatformRunsOff
    service = PlatformService(transaction.session, runtime.settings.platform_run_lifetime_seconds)
    run = service.request(person, wish)
    if run.action in {RunAction.PREVIEW, RunAction.UP}:  # the others run no program: what is known is good enough
        configurations.check(run.stack, run.spec)
    run_id = run.id
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_PLATFORM, run_id))
    return run


@router.get("/stacks")
def list_platform_stacks(_viewer: Viewer, session: SessionDep, runtime: RuntimeDep) -> StackList:
    """List the stacks that have reported what they made, or were run from here."""
    is_set_up = runtime.settings.platform_environment_file is not None
    stacks = [StackView.of(stack) for stack in known_stacks(session)]
    return StackList(is_set_up=is_set_up, hint=None if is_set_up else HOW_TO_TURN_ON, stacks=stacks)


@router.get("/stacks/{stack}")
def get_platform_stack(
    stack: StackName, _viewer: Viewer, session: SessionDep, configurations: ConfigurationsDep
) -> StackDetail:
    """Return a stack with its configuration."""
    found = known_stack(session, stack)
    if found is None:
        raise NotFound("there is no such platform stack")
    written = configurations.write(stack, found.spec)
    return StackDetail(**dict(StackView.of(found)), spec=found.spec, yaml=written)


@router.get("/stacks/{stack}/runs")
def list_platform_runs(stack: StackName, _viewer: Viewer, session: SessionDep, page: PageDep) -> Page[RunView]:
    """List a stack's runs, newest first."""
    return fetch_page(session, select(PlatformRun).where(PlatformRun.stack == stack), PlatformRun.id, page, RunView.of)


@router.post("/stacks/{stack}/runs", status_code=status.HTTP_202_ACCEPTED)
def request_platform_run(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    stack: StackName,
    body: RunRequest,
    person: Admin,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    configurations: ConfigurationsDep,
) -> RunView:
    """Ask for a run. What changes anything is previewed first, and waits for another administrator's approval."""
    spec = None if body.configuration is None else configurations.parse(stack, body.configuration)
    wish = RunWish(
        stack=stack,
        action=body.action,
        reason=body.reason,
        spec=spec,
        refreshes=body.refreshes,
        confirmation=body.confirmation,
    )
    return RunView.of(ask(runtime, transaction, person, wish, configurations))


@router.get("/runs/{run_id}")
def get_platform_run(run_id: UUID, _viewer: Viewer, session: SessionDep) -> RunDetail:
    """Return a run with its newest plan."""
    run = find_run(session, run_id)
    plan = newest_plan(session, run_id)
    view = None if plan is None else PlatformPlanView.of(plan)
    return RunDetail(**dict(RunView.of(run)), spec=run.spec, plan=view)


@router.post("/runs/{run_id}/cancel", status_code=status.HTTP_202_ACCEPTED)
def cancel_platform_run(
    run_id: UUID, body: CancelRequest, person: Admin, runtime: RuntimeDep, transaction: TransactionDep
) -> RunView:
    """End a run early: one that waits at once, a running one after the step it is at."""
    service = PlatformService(transaction.session, runtime.settings.platform_run_lifetime_seconds)
    return RunView.of(service.cancel(run_id, person, body.reason))


@router.post("/plans/{plan_id}/approve")
def approve_platform_plan(plan_id: UUID, body: ApproveRequest, person: Admin, decisions: DecisionsDep) -> Decision:
    """Approve exactly the plan with this hash; 409 if anything that it is bound to has moved."""
    return Decision(is_final=decisions.approve(plan_id, person, body.hash, body.reason))


@router.post("/plans/{plan_id}/reject")
def reject_platform_plan(
    plan_id: UUID, body: RejectPlatformRequest, person: Admin, decisions: DecisionsDep
) -> Decision:
    """Reject a plan: its run ends."""
    decisions.reject(plan_id, person, body.reason)
    return Decision(is_final=True)


def check_known(run_id: UUID, _viewer: Viewer, runtime: RuntimeDep) -> None:
    """Refuse before the stream begins, while a problem document can still be sent."""
    with runtime.database.transaction() as transaction:
        find_run(transaction.session, run_id)


@router.get("/runs/{run_id}/events", response_class=EventSourceResponse)
async def stream_platform_run(
    run_id: UUID,
    runtime: RuntimeDep,
    _known: Annotated[None, Depends(check_known)],
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
    *,
    follow: Annotated[bool, Query(description="wait for more until the run has ended")] = True,
) -> AsyncIterator[ServerSentEvent]:
    """Stream a run's log; a reader that was cut off goes on with ``Last-Event-ID``.

    Events: ``line`` (a log line), then one ``end`` with the run once it has ended.
    """
    async for event in follow_run(runtime.database, run_id, last_event_id, follow=follow):
        yield event


def find_run(session: Session, run_id: UUID) -> PlatformRun:
    """Return a run.

    Raises:
        NotFound: if there is none.
    """
    run = session.get(PlatformRun, run_id)
    if run is None:
        raise NotFound("there is no such platform run")
    return run


def newest_plan(session: Session, run_id: UUID) -> PlatformPlan | None:
    """Return a run's newest plan with what was said about it, or None."""
    query = select(PlatformPlan).where(PlatformPlan.run_id == run_id).order_by(PlatformPlan.id.desc()).limit(1)
    return session.scalars(query.options(selectinload(PlatformPlan.approvals))).one_or_none()
