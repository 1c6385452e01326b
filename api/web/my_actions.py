"""What a customer does with a machine of theirs: the verbs of the JSON routes, as forms."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.db.session import Transaction
from api.errors import InvalidInput, NotFound
from api.jobs import Job
from api.operations.cause import Cause
from api.operations.models import Operation
from api.orders.fulfilment import Fulfilment, lock_order
from api.orders.models import OrderStatus
from api.runtime import Runtime, RuntimeDep, TransactionDep
from api.web.flash import Flash
from api.web.forms import FormDep, parse
from api.web.rendering import done
from api.web.visitor import Owner, Visitor
from api.workloads.models import Workload
from api.workloads.repository import WorkloadRepository
from api.workloads.service import WorkloadService, lock_workload

router = APIRouter(prefix="/my/machines/{workload_id}")


class ConfirmedForm(BaseModel):
    """What destroys something wants its name typed."""

    confirmation: str = ""

    def check(self, name: str) -> None:
        """Refuse unless the name was typed.

        Raises:
            InvalidInput: if it was not.
        """
        if self.confirmation.strip() != name:
            raise InvalidInput(f"confirmation: type '{name}', the machine's name, and nothing else")


@router.post("/start")
def start_mine(workload_id: UUID, visitor: Owner, runtime: RuntimeDep, transaction: TransactionDep) -> Response:
    """Switch a machine on."""
    service, workload = _owned(workload_id, visitor, runtime, transaction)
    operation = service.set_power(workload, started=True, cause=_asked("start", visitor))
    return _begun(operation, "It is being switched on.", workload_id, visitor, runtime, transaction)


@router.post("/stop")
def stop_mine(workload_id: UUID, visitor: Owner, runtime: RuntimeDep, transaction: TransactionDep) -> Response:
    """Shut a machine down."""
    service, workload = _owned(workload_id, visitor, runtime, transaction)
    operation = service.set_power(workload, started=False, cause=_asked("stop", visitor))
    return _begun(operation, "It is being shut down.", workload_id, visitor, runtime, transaction)


@router.post("/reset")
def reset_mine(workload_id: UUID, visitor: Owner, runtime: RuntimeDep, transaction: TransactionDep) -> Response:
    """Switch a machine off and on again."""
    service, workload = _owned(workload_id, visitor, runtime, transaction)
    operation = service.reboot(workload, _asked("reboot", visitor))
    return _begun(operation, "It is being switched off and on again.", workload_id, visitor, runtime, transaction)


@router.post("/cancel")
def cancel_mine(
    workload_id: UUID, visitor: Owner, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Give a machine back; all that is on it is wiped."""
    session = transaction.session
    workload = _machine_of(workload_id, visitor, transaction)
    parse(ConfirmedForm, form).check(workload.name)
    order = lock_order(session, workload.order_id)
    operation = Fulfilment(session, runtime.settings.operation_lifetime_seconds).cancel(
        order, "cancelled by the customer", visitor.principal.user_id
    )
    if order.status is OrderStatus.REFUND_DUE:
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.PAY_REFUNDS))
    said = "It is cancelled; its disks are wiped before anybody else gets it."
    return _begun(operation, said, workload_id, visitor, runtime, transaction)


def _machine_of(workload_id: UUID, visitor: Visitor, transaction: Transaction) -> Workload:
    workload = WorkloadRepository(transaction.session, visitor.principal.user_id).get(workload_id)
    if workload.machine_id is None:
        raise NotFound("you have no such machine")
    return workload


def _owned(
    workload_id: UUID, visitor: Visitor, runtime: Runtime, transaction: Transaction
) -> tuple[WorkloadService, Workload]:
    """Check the owner first, then lock: a stranger's request must not hold anybody up."""
    _machine_of(workload_id, visitor, transaction)
    service = WorkloadService(transaction.session, runtime.settings.operation_lifetime_seconds)
    return service, lock_workload(transaction.session, workload_id)


def _asked(verb: str, visitor: Visitor) -> Cause:
    return Cause(f"the customer asked for a {verb}", by=visitor.principal.user_id)


def _begun(  # noqa: PLR0913, PLR0917 - what one answer is made of
    operation: Operation | None,
    said: str,
    workload_id: UUID,
    visitor: Visitor,
    runtime: Runtime,
    transaction: Transaction,
) -> Response:
    """Have a worker told, and lead back to the machine."""
    if operation is not None:
        operation_id = operation.id
        transaction.after_commit(lambda: runtime.jobs.enqueue(Job.RUN_OPERATION, operation_id))
    flash = Flash("good", said if operation is not None else "It is so already: there was nothing to do.")
    return done(runtime, visitor, f"/my/machines/{workload_id}", flash)
