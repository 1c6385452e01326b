"""Operations and their live logs."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth.models import Role
from api.auth.principal import Principal, require
from api.auth.scopes import Scope
from api.auth.staff import may
from api.jobs import Job
from api.operations.cause import Cause
from api.operations.models import Operation
from api.operations.schemas import OperationView
from api.operations.stopping import OperationStopper
from api.operations.stream import LARGEST_ID, follow_log
from api.runtime import RuntimeDep, SessionDep, TransactionDep
from api.workloads.repository import WorkloadRepository

router = APIRouter(prefix="/operations", tags=["operations"])
Reader = Annotated[Principal, require("workloads:read")]
Writer = Annotated[Principal, require("workloads:write")]


@router.get("/{operation_id}")
def get_operation(operation_id: UUID, principal: Reader, session: SessionDep) -> OperationView:
    """Return an operation on one of your workloads."""
    return OperationView.of(WorkloadRepository(session, principal.user_id).operation(operation_id))


@router.post("/{operation_id}/cancel", status_code=status.HTTP_202_ACCEPTED)
def cancel_operation(
    operation_id: UUID, principal: Writer, runtime: RuntimeDep, transaction: TransactionDep
) -> OperationView:
    """End an operation early: one that waits at once, a running one after the step it is at.

    Its workload goes back to what it was where nothing has been changed yet.
    """
    session = transaction.session
    is_operator = may(principal.role, Role.OPERATOR) and Scope.ADMIN in principal.scopes
    if not is_operator:
        WorkloadRepository(session, principal.user_id).operation(operation_id)
    stopper = OperationStopper(session, runtime.settings.operation_lifetime_seconds)
    # No names: the owner reads this in the log, and the audit trail never forgets it.
    reason = "an operator asked for it" if is_operator else "its owner asked for it"
    following = stopper.cancel(operation_id, Cause(reason, by=principal.user_id))
    if following is not None:
        following_id = following.id
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, following_id))
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.PAY_REFUNDS))
    operation = session.get_one(Operation, operation_id)
    session.refresh(operation)
    return OperationView.of(operation)


def check_readable(operation_id: UUID, principal: Reader, runtime: RuntimeDep) -> None:
    """Refuse before the stream begins, while a problem document can still be sent."""
    with runtime.database.transaction() as transaction:
        WorkloadRepository(transaction.session, principal.user_id).operation(operation_id)


@router.get("/{operation_id}/events", response_class=EventSourceResponse)
async def stream_events(
    operation_id: UUID,
    runtime: RuntimeDep,
    _readable: Annotated[None, Depends(check_readable)],
    last_event_id: Annotated[int, Header(ge=0, le=LARGEST_ID)] = 0,
    *,
    follow: Annotated[bool, Query(description="wait for more until the operation has ended")] = True,
) -> AsyncIterator[ServerSentEvent]:
    """Stream an operation's log; a reader that was cut off goes on with ``Last-Event-ID``.

    Events: ``line`` (a log line), then one ``end`` with the operation once it has ended.
    """
    async for event in follow_log(runtime.database, operation_id, last_event_id, follow=follow):
        yield event
