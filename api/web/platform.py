"""The provider's own stacks: what there is, one stack with its configuration, and one run with plan and log."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from api.auth.models import User
from api.errors import NotFound
from api.operations.stream import LARGEST_ID
from api.plans.closing import LIVE
from api.plans.errors import PlanMoved, PlanTampered
from api.platform.configuration import Configurations, ConfigurationWrong
from api.platform.endpoints import (
    ConfigurationsDep,
    DecisionsDep,
    StackName,
    ask,
    find_run,
    newest_plan,
)
from api.platform.errors import HOW_TO_TURN_ON
from api.platform.log import follow_run
from api.platform.models import (
    ACTIVE_RUNS,
    PlatformApproval,
    PlatformPlan,
    PlatformRun,
    PlatformRunEvent,
    RunAction,
    RunStatus,
)
from api.platform.plans import document_of, one_person_may
from api.platform.repository import KnownStack, known_stack, known_stacks
from api.platform.service import PlatformService, RunWish
from api.runtime import RuntimeDep, SessionDep, TransactionDep
from api.web.diff import view
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.paging import PlaceDep, cut
from api.web.plans import ApproveForm, RejectForm, counts_of
from api.web.rendering import done, go, page
from api.web.visitor import Admin, Support, Visitor
from components.specs.platform import PlatformKind, parse_platform_stack

router = APIRouter()
_LINES = 500
_HERE = "/admin/platform"
_UNPROCESSABLE = 422


class RunForm(BaseModel):
    """What is to be done with a stack."""

    verb: RunAction
    reason: Reason
    configuration: Annotated[str, Field(max_length=200_000)] | None = None
    refreshes: bool = False
    confirmation: str = ""


class CancelForm(BaseModel):
    """Why a run is ended early."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class StackLine:
    """A stack in the list, with who asked for its last run and what that found."""

    stack: KnownStack
    email: str | None
    summary: str | None


@router.get("/admin/platform")
def platform_stacks(
    request: Request, visitor: Support, session: SessionDep, runtime: RuntimeDep, configurations: ConfigurationsDep
) -> Response:
    """List the stacks, in the order in which an estate is raised."""
    return page(
        request,
        visitor,
        "platform.html",
        lines=_lines(session, known_stacks(session)),
        kinds=[kind for kind in PlatformKind if kind in configurations.kinds],
        hint=None if runtime.settings.platform_environment_file is not None else HOW_TO_TURN_ON,
    )


@router.get("/admin/platform/open")
def open_stack(_visitor: Support, stack: Annotated[str, Query(max_length=63)] = "") -> Response:
    """Lead to a stack by its name; one that is not there yet can be described and brought up on its page."""
    if parse_platform_stack(stack) is None:
        raise NotFound(f"no platform stack can be named so: use an estate and a kind ({', '.join(PlatformKind)})")
    return go(f"{_HERE}/stacks/{stack}")


@router.get("/admin/platform/stacks/{stack}")
def show_stack(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    stack: StackName,
    request: Request,
    visitor: Support,
    session: SessionDep,
    runtime: RuntimeDep,
    place: PlaceDep,
    configurations: ConfigurationsDep,
) -> Response:
    """Show a stack: its configuration, what may be done with it, and its runs."""
    found = known_stack(session, stack)
    if found is None and parse_platform_stack(stack) is None:
        raise NotFound("there is no such platform stack")
    text = "" if found is None else configurations.write(stack, found.spec)
    context = _stack_page(session, stack, found, place)
    is_set_up = runtime.settings.platform_environment_file is not None
    return page(request, visitor, "platform_stack.html", text=text, problems=(), is_set_up=is_set_up, **context)


@router.post("/admin/platform/stacks/{stack}/runs")
def request_run(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    stack: StackName,
    request: Request,
    visitor: Admin,
    form: FormDep,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    place: PlaceDep,
    configurations: ConfigurationsDep,
) -> Response:
    """Ask for a run. A configuration that is wrong comes back with what is wrong, and with all that was typed."""
    entered = parse(RunForm, form)
    try:
        run = ask(runtime, transaction, visitor.principal, _wish(stack, entered, configurations), configurations)
    except ConfigurationWrong as wrong:
        if entered.configuration is None:
            raise
        context = _stack_page(transaction.session, stack, known_stack(transaction.session, stack), place)
        problems, typed = wrong.fields["problems"], entered.configuration
        return page(
            request,
            visitor,
            "platform_stack.html",
            status=_UNPROCESSABLE,
            text=typed,
            problems=problems,
            is_set_up=True,
            **context,
        )
    said = "It is being looked at." if run.action.only_looks else "A plan is being made; nothing is changed unapproved."
    return done(runtime, visitor, f"{_HERE}/runs/{run.id}", Flash("good", said))


@router.get("/admin/platform/runs/{run_id}")
def show_run(run_id: UUID, request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show a run with its plan and its log so far; the browser follows it from there."""
    run = find_run(session, run_id)
    people = _people(session, run)
    plan = newest_plan(session, run_id)
    lines = _newest_lines(session, run_id)
    return page(
        request,
        visitor,
        "platform_run.html",
        run=run,
        asker=people.get(run.requested_by),
        stopper=None if run.cancel_requested_by is None else people.get(run.cancel_requested_by),
        lines=lines,
        last_line=lines[-1].id if lines else 0,
        is_active=run.status in ACTIVE_RUNS,
        **_plan_parts(session, visitor, run, plan),
    )


def _check_known(run_id: UUID, _visitor: Support, session: SessionDep) -> None:
    """Refuse before the stream begins, while a page can still be sent."""
    find_run(session, run_id)


@router.get("/admin/platform/runs/{run_id}/events", response_class=EventSourceResponse)
async def stream_run(
    run_id: UUID,
    runtime: RuntimeDep,
    _known: Annotated[None, Depends(_check_known)],
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Stream a run's log from the line that the page ends with, or where the stream was cut off."""
    async for event in follow_run(runtime.database, run_id, max(after, last_event_id)):
        yield event


@router.post("/admin/platform/runs/{run_id}/cancel")
def cancel_run(
    run_id: UUID, visitor: Admin, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """End a run early: one that waits at once, a running one after the step it is at."""
    service = PlatformService(transaction.session, runtime.settings.platform_run_lifetime_seconds)
    service.cancel(run_id, visitor.principal, parse(CancelForm, form).reason)
    said = "The end of the run was asked for; a step that is under way is let finish."
    return done(runtime, visitor, f"{_HERE}/runs/{run_id}", Flash("good", said))


@router.post("/admin/platform/plans/{plan_id}/approve")
def approve(plan_id: UUID, visitor: Admin, form: FormDep, decisions: DecisionsDep, runtime: RuntimeDep) -> Response:
    """Approve exactly the plan that was shown; a plan that has moved is told with where to find the fresh one."""
    entered = parse(ApproveForm, form)
    to = _run_of(runtime, plan_id)
    try:
        is_final = decisions.approve(plan_id, visitor.principal, entered.hash, entered.reason)
    except (PlanMoved, PlanTampered) as refusal:
        raise type(refusal)(refusal.detail, **{**refusal.fields, "fresh_url": to}) from None
    said = "Approved: the run is on its way." if is_final else "Approved. Somebody else has to approve it too."
    return done(runtime, visitor, to, Flash("good", said))


@router.post("/admin/platform/plans/{plan_id}/reject")
def reject(plan_id: UUID, visitor: Admin, form: FormDep, decisions: DecisionsDep, runtime: RuntimeDep) -> Response:
    """Reject a plan: its run ends, and nothing is changed."""
    to = _run_of(runtime, plan_id)
    decisions.reject(plan_id, visitor.principal, parse(RejectForm, form).reason)
    return done(runtime, visitor, to, Flash("good", "Rejected: the run has ended, and nothing was changed."))


def _wish(stack: str, entered: RunForm, configurations: Configurations) -> RunWish:
    spec = None if entered.configuration is None else configurations.parse(stack, entered.configuration)
    return RunWish(
        stack=stack,
        action=entered.verb,
        reason=entered.reason,
        spec=spec,
        refreshes=entered.refreshes,
        confirmation=entered.confirmation,
    )


def _stack_page(session: Session, stack: str, found: KnownStack | None, place: Any) -> dict[str, Any]:
    runs = (
        select(PlatformRun, User.email.label("email"))
        .join(User, User.id == PlatformRun.requested_by)
        .where(PlatformRun.stack == stack)
    )
    run = None if found is None else found.last_run
    return {
        "stack": stack,
        "found": found,
        "slice": cut(session, runs, PlatformRun.id, place),
        "active": run if run is not None and run.status in ACTIVE_RUNS else None,
    }


def _lines(session: Session, stacks: Sequence[KnownStack]) -> list[StackLine]:
    """Add to each stack who asked for its last run, and its newest plan in words; two queries."""
    runs = [stack.last_run for stack in stacks if stack.last_run is not None]
    newest = (
        select(PlatformPlan.run_id, PlatformPlan.summary)
        .ext(distinct_on(PlatformPlan.run_id))
        .where(PlatformPlan.run_id.in_([run.id for run in runs]))
        .order_by(PlatformPlan.run_id, PlatformPlan.id.desc())
    )
    summaries = {row.run_id: row.summary for row in session.execute(newest)}
    people = select(User.id, User.email).where(User.id.in_([run.requested_by for run in runs]))
    emails = {row.id: row.email for row in session.execute(people)}
    return [
        StackLine(stack, None, None)
        if stack.last_run is None
        else StackLine(stack, emails.get(stack.last_run.requested_by), summaries.get(stack.last_run.id))
        for stack in stacks
    ]


def _plan_parts(session: Session, visitor: Visitor, run: PlatformRun, plan: PlatformPlan | None) -> dict[str, Any]:
    """Return what the page tells of the newest plan, and whether the visitor may decide on it."""
    if plan is None:
        return {"plan": None}
    person = aliased(User)
    approvals = session.execute(
        select(PlatformApproval, person.email.label("email"))
        .join(person, person.id == PlatformApproval.user_id)
        .where(PlatformApproval.plan_id == plan.id)
        .order_by(PlatformApproval.id)
    ).all()
    changing, same = view(document_of(plan).steps)
    me = visitor.principal.user_id
    return {
        "plan": plan,
        "approvals": approvals,
        "changing": changing,
        "same": same,
        "counts": counts_of(changing),
        "is_waiting": plan.status in LIVE and run.status is RunStatus.AWAITING_APPROVAL,
        "is_own": run.requested_by == me and not one_person_may(session),
    }


def _people(session: Session, run: PlatformRun) -> dict[UUID, str]:
    ids = [one for one in (run.requested_by, run.cancel_requested_by) if one is not None]
    return {row.id: row.email for row in session.execute(select(User.id, User.email).where(User.id.in_(ids)))}


def _run_of(runtime: Any, plan_id: UUID) -> str:
    """Return the page of a plan's run."""
    with runtime.database.transaction() as transaction:
        plan = transaction.session.get(PlatformPlan, plan_id)
    if plan is None:
        raise NotFound("there is no such plan")
    return f"{_HERE}/runs/{plan.run_id}"


def _newest_lines(session: Session, run_id: UUID) -> list[PlatformRunEvent]:
    query = select(PlatformRunEvent).where(PlatformRunEvent.run_id == run_id)
    return list(reversed(session.scalars(query.order_by(PlatformRunEvent.id.desc()).limit(_LINES)).all()))
