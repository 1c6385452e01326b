"""What only machines of one's own can be asked for."""

from uuid import UUID

from fastapi import APIRouter, Response, status

from api.operations.cause import Cause
from api.operations.schemas import OperationView
from api.runtime import RuntimeDep, TransactionDep
from api.workloads.endpoints import Writer, answer
from api.workloads.machine_verbs import MachineVerbs
from api.workloads.reinstalling import reinstallation
from api.workloads.repository import WorkloadRepository
from api.workloads.schemas import ReinstallRequest, RescueRequest
from api.workloads.service import lock_workload

router = APIRouter(prefix="/workloads", tags=["workloads"])


@router.post("/{workload_id}/reinstall", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def reinstall(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    workload_id: UUID,
    request: ReinstallRequest,
    principal: Writer,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    response: Response,
) -> OperationView | None:
    """Install a machine again, with this template or another one. All that is on its disks is lost."""
    session = transaction.session
    WorkloadRepository(session, principal.user_id).get(workload_id)
    workload = lock_workload(session, workload_id)
    wanted = reinstallation(session, workload, principal.user_id, request)
    cause = Cause("the customer asked for a reinstallation", by=principal.user_id, has_consent=True)
    verbs = MachineVerbs(session, runtime.settings.operation_lifetime_seconds)
    return answer(verbs.reinstall(workload, wanted, cause), runtime, transaction, response)


@router.post("/{workload_id}/rescue", status_code=status.HTTP_202_ACCEPTED, response_model=OperationView | None)
def rescue(  # noqa: PLR0913, PLR0917 - FastAPI injects by parameter
    workload_id: UUID,
    request: RescueRequest,
    principal: Writer,
    runtime: RuntimeDep,
    transaction: TransactionDep,
    response: Response,
) -> OperationView | None:
    """Boot a machine into the rescue system, with your keys, or back into its own; 200 and nothing if it is so."""
    session = transaction.session
    WorkloadRepository(session, principal.user_id).get(workload_id)
    workload = lock_workload(session, workload_id)
    asked = "the rescue system" if request.on else "its own system again"
    cause = Cause(f"the customer asked for {asked}", by=principal.user_id)
    verbs = MachineVerbs(session, runtime.settings.operation_lifetime_seconds)
    return answer(verbs.set_rescue(workload, on=request.on, cause=cause), runtime, transaction, response)
