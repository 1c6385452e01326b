"""What a customer does with a machine of theirs: the verbs of the JSON routes, as forms."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

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
from api.workloads.machine_verbs import MachineVerbs
from api.workloads.models import Workload
from api.workloads.reinstalling import reinstallation
from api.workloads.repository import WorkloadRepository
from api.workloads.schemas import ReinstallRequest
from api.workloads.service import WorkloadService, lock_workload
from components.specs.machine import DiskLayout

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


class RescueForm(BaseModel):
    """Whether the rescue system is wanted."""

    on: bool


class ReinstallForm(ConfirmedForm):
    """What is to be on the disks, and how they are used."""

    template: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    layout: DiskLayout


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


@router.post("/rescue")
def rescue_mine(
    workload_id: UUID, visitor: Owner, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Boot a machine into the rescue system, or back into its own."""
    _, workload = _owned(workload_id, visitor, runtime, transaction)
    is_on = parse(RescueForm, form).on
    asked = "the rescue system" if is_on else "its own system again"
    cause = Cause(f"the customer asked for {asked}", by=visitor.principal.user_id)
    operation = _machine_verbs(runtime, transaction).set_rescue(workload, on=is_on, cause=cause)
    return _begun(operation, f"It is being booted into {asked}.", workload_id, visitor, runtime, transaction)


@router.post("/reinstall")
def reinstall_mine(
    workload_id: UUID, visitor: Owner, form: FormDep, runtime: RuntimeDep, transaction: TransactionDep
) -> Response:
    """Install a machine again; all that is on its disks is lost."""
    _, workload = _owned(workload_id, visitor, runtime, transaction)
    wanted = parse(ReinstallForm, form)
    wanted.check(workload.name)
    request = ReinstallRequest(template=wanted.template, layout=wanted.layout, confirm=workload.name)
    by = visitor.principal.user_id
    installation = reinstallation(transaction.session, workload, by, request)
    cause = Cause("the customer asked for a reinstallation", by=by, has_consent=True)
    operation = _machine_verbs(runtime, transaction).reinstall(workload, installation, cause)
    return _begun(operation, "It is being installed again.", workload_id, visitor, runtime, transaction)


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


def _machine_verbs(runtime: Runtime, transaction: Transaction) -> MachineVerbs:
    return MachineVerbs(transaction.session, runtime.settings.operation_lifetime_seconds)


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
