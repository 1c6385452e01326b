"""The queue of operations, and one operation with its log."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel
from sqlalchemy import Select, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from api.auth.models import User
from api.errors import NotFound
from api.inventory.models import Node
from api.jobs import Job
from api.machines.models import Machine
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation, OperationEvent, OperationKind, OperationStatus
from api.operations.stopping import OperationStopper
from api.operations.stream import LARGEST_ID, follow_log
from api.plans.models import Plan
from api.runtime import RuntimeDep, SessionDep, TransactionDep
from api.web.flash import Flash
from api.web.forms import FormDep, Reason, parse
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, page
from api.web.visitor import Operator, Support
from api.workloads.models import Workload

router = APIRouter()
_LINES = 500
_ACTIVE = "active"
Choice = Annotated[str, Query(max_length=60)]


class CancelForm(BaseModel):
    """Why an operation is ended early."""

    reason: Reason


def operation_columns() -> Select[Any]:
    """Select operations with all that a line about one shows, its newest log line too, in one statement."""
    newest = (
        select(OperationEvent.message)
        .where(OperationEvent.operation_id == Operation.id)
        .order_by(OperationEvent.id.desc())
        .limit(1)
        .lateral()
    )
    return (
        select(
            Operation,
            Workload.name.label("workload"),
            func.coalesce(Node.name, Machine.name).label("node"),
            User.email.label("email"),
            newest.c.message.label("progress"),
        )
        .join(Workload, Workload.id == Operation.workload_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .outerjoin(User, User.id == Operation.requested_by)
        .outerjoin(newest, true())
    )


@router.get("/admin/operations")
def list_operations(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    request: Request,
    visitor: Support,
    session: SessionDep,
    place: PlaceDep,
    status: Choice = "",
    kind: Choice = "",
    node: Choice = "",
) -> Response:
    """List operations, the newest first."""
    query = operation_columns()
    if status == _ACTIVE:
        query = query.where(Operation.status.in_(ACTIVE))
    elif status:
        query = query.where(Operation.status == status if status in list(OperationStatus) else false())
    if kind:
        query = query.where(Operation.kind == kind if kind in list(OperationKind) else false())
    if node:
        query = query.where(or_(Node.name == node, Machine.name == node))
    return page(
        request,
        visitor,
        "operations.html",
        slice=cut(session, query, Operation.id, place),
        nodes=session.scalars(select(Node.name).order_by(Node.name)).all(),
        statuses=[_ACTIVE, *OperationStatus],
        kinds=list(OperationKind),
        chosen={"status": status, "kind": kind, "node": node},
    )


@router.get("/admin/operations/{operation_id}")
def show_operation(operation_id: UUID, request: Request, visitor: Support, session: SessionDep) -> Response:
    """Show an operation with its log so far; the browser follows it from there."""
    asker, stopper = aliased(User), aliased(User)
    found = session.execute(
        select(
            Operation,
            Workload,
            Node.name.label("node"),
            Machine.name.label("machine"),
            asker.email.label("email"),
            stopper.email.label("stopper"),
        )
        .join(Workload, Workload.id == Operation.workload_id)
        .outerjoin(Node, Node.id == Workload.node_id)
        .outerjoin(Machine, Machine.id == Workload.machine_id)
        .outerjoin(asker, asker.id == Operation.requested_by)
        .outerjoin(stopper, stopper.id == Operation.cancel_requested_by)
        .where(Operation.id == operation_id)
    ).one_or_none()
    if found is None:
        raise NotFound("there is no such operation")
    lines = _newest_lines(session, operation_id)
    plans = session.scalars(select(Plan).where(Plan.operation_id == operation_id).order_by(Plan.id.desc())).all()
    return page(
        request,
        visitor,
        "operation.html",
        found=found,
        lines=lines,
        last_line=lines[-1].id if lines else 0,
        plans=plans,
        is_active=found.Operation.status in ACTIVE,
    )


def _check_known(operation_id: UUID, _visitor: Support, session: SessionDep) -> None:
    """Refuse before the stream begins, while a page can still be sent."""
    if session.get(Operation, operation_id) is None:
        raise NotFound("there is no such operation")


@router.get("/admin/operations/{operation_id}/events", response_class=EventSourceResponse)
async def stream_operation(
    operation_id: UUID,
    runtime: RuntimeDep,
    _known: Annotated[None, Depends(_check_known)],
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Stream an operation's log from the line that the page ends with, or where the stream was cut off."""
    async for event in follow_log(runtime.database, operation_id, max(after, last_event_id)):
        yield event


@router.post("/admin/operations/{operation_id}/cancel")
def cancel_operation(
    operation_id: UUID, visitor: Operator, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """End an operation early: one that waits at once, a running one after the step it is at."""
    reason = parse(CancelForm, form).reason
    stopper = OperationStopper(transaction.session, runtime.settings.operation_lifetime_seconds)
    following = stopper.cancel(operation_id, Cause(reason, by=visitor.principal.user_id))
    if following is not None:
        following_id = following.id
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, following_id))
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.PAY_REFUNDS))
    said = "The end of the operation was asked for; a step that is under way is let finish."
    return done(runtime, visitor, f"/admin/operations/{operation_id}", Flash("good", said))


def _newest_lines(session: Session, operation_id: UUID) -> list[OperationEvent]:
    query = select(OperationEvent).where(OperationEvent.operation_id == operation_id)
    return list(reversed(session.scalars(query.order_by(OperationEvent.id.desc()).limit(_LINES)).all()))
