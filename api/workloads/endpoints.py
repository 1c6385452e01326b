"""Workloads and the verbs on them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from api.auth.principal import Principal, require
from api.db.session import Transaction
from api.jobs import Job
from api.operations.cause import Cause
from api.operations.models import Operation
from api.operations.schemas import OperationView
from api.orders.fulfilment import Fulfilment, lock_order
from api.orders.models import OrderStatus
from api.pages import Page, PageDep, fetch_page
from api.runtime import Runtime, RuntimeDep, SessionDep, TransactionDep
from api.workloads.models import StatusChange, Workload
from api.workloads.repository import WorkloadRepository
from api.workloads.schemas import StatusChangeView, WorkloadView
from api.workloads.service import WorkloadService, lock_workload

router = APIRouter(prefix="/workloads", tags=["workloads"])
Reader = Annotated[Principal, require("workloads:read")]
Writer = Annotated[Principal, require("workloads:write")]


@router.get("")
def list_workloads(
    principal: Reader,
    session: SessionDep,
    page: PageDep,
    name: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,63}$", description="only workloads of this name")] = None,
) -> Page[WorkloadView]:
    """List your workloads, newest first."""
    query = WorkloadRepository(session, principal.user_id).query(name)
    return fetch_page(session, query, Workload.id, page, WorkloadView.of)


@router.get("/{workload_id}")
def get_workload(workload_id: UUID, principal: Reader, session: SessionDep) -> WorkloadView:
    """Return one of your workloads."""
    return WorkloadView.of(WorkloadRepository(session, principal.user_id).get(workload_id))


@router.get("/{workload_id}/history")
def get_history(workload_id: UUID, principal: Reader, session: SessionDep, page: PageDep) -> Page[StatusChangeView]:
    """List a workload's changes of status, newest first."""
    query = WorkloadRepository(session, principal.user_id).history(workload_id)
    return fetch_page(session, query, StatusChange.id, page, StatusChangeView.of)


@router.get("/{workload_id}/operations")
def list_operations(workload_id: UUID, principal: Reader, session: SessionDep, page: PageDep) -> Page[OperationView]:
    """List a workload's operations, newest first."""
    query = WorkloadRepository(session, principal.user_id).operations(workload_id)
    return fetch_page(session, query, Operation.id, page, OperationView.of)


@router.post("/{workload_id}/start", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def start(
    workload_id: UUID, principal: Writer, runtime: RuntimeDep, transaction: TransactionDep, response: Response
) -> OperationView | None:
    """Start a stopped workload; 200 and nothing if it runs already."""
    service, workload = _owned(workload_id, principal, runtime, transaction)
    return answer(
        service.set_power(workload, started=True, cause=_asked("start", principal)), runtime, transaction, response
    )


@router.post("/{workload_id}/stop", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def stop(
    workload_id: UUID, principal: Writer, runtime: RuntimeDep, transaction: TransactionDep, response: Response
) -> OperationView | None:
    """Shut a running workload down; 200 and nothing if it is stopped already."""
    service, workload = _owned(workload_id, principal, runtime, transaction)
    return answer(
        service.set_power(workload, started=False, cause=_asked("stop", principal)), runtime, transaction, response
    )


@router.post("/{workload_id}/reboot", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def reboot(
    workload_id: UUID, principal: Writer, runtime: RuntimeDep, transaction: TransactionDep, response: Response
) -> OperationView | None:
    """Restart a running workload; a machine of your own by cutting its power, which helps one that hangs, too."""
    service, workload = _owned(workload_id, principal, runtime, transaction)
    return answer(service.reboot(workload, _asked("reboot", principal)), runtime, transaction, response)


@router.post("/{workload_id}/cancel", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def cancel(
    workload_id: UUID, principal: Writer, runtime: RuntimeDep, transaction: TransactionDep, response: Response
) -> OperationView | None:
    """Remove a workload with its addresses and DNS records; what was paid but not delivered yet is refunded.

    A machine of your own is wiped.
    """
    session = transaction.session
    order_id = WorkloadRepository(session, principal.user_id).get(workload_id).order_id
    order = lock_order(session, order_id)
    operation = Fulfilment(session, runtime.settings.operation_lifetime_seconds).cancel(
        order, "cancelled by the customer", principal.user_id
    )
    if order.status is OrderStatus.REFUND_DUE:
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.PAY_REFUNDS))
    return answer(operation, runtime, transaction, response)


def _owned(
    workload_id: UUID, principal: Principal, runtime: Runtime, transaction: Transaction
) -> tuple[WorkloadService, Workload]:
    """Check the owner first, then lock: a stranger's request must not hold anybody up."""
    WorkloadRepository(transaction.session, principal.user_id).get(workload_id)
    service = WorkloadService(transaction.session, runtime.settings.operation_lifetime_seconds)
    return service, lock_workload(transaction.session, workload_id)


def _asked(verb: str, principal: Principal) -> Cause:
    return Cause(f"the customer asked for a {verb}", by=principal.user_id)


def answer(
    operation: Operation | None, runtime: Runtime, transaction: Transaction, response: Response
) -> OperationView | None:
    """Answer with the operation that a verb has scheduled, whose worker is told; 200 and nothing if there is none."""
    if operation is None:
        response.status_code = status.HTTP_200_OK
        return None
    operation_id = operation.id
    transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, operation_id))
    transaction.session.refresh(operation)
    return OperationView.of(operation)
