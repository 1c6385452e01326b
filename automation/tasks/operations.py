"""Operations' jobs."""

from datetime import timedelta
from uuid import UUID

from api.ipam.service import Ipam
from api.jobs import Job
from api.operations.leases import due_operations
from automation.services import WorkerServices

_HINT_GRACE = timedelta(seconds=5)


def run_operation(services: WorkerServices, operation_id: str) -> None:
    """Carry one operation out, if it is due and free."""
    services.operations.run(UUID(operation_id))


def sweep(services: WorkerServices) -> None:
    """Find due work by its rows. This, not the broker, is what guarantees that paid means delivered."""
    with services.database.transaction() as transaction:
        operations = due_operations(transaction.session, services.settings.clones_per_storage)
    for operation_id in operations:
        services.jobs.enqueue(Job.RUN_OPERATION, operation_id)
    for event_id in services.billing.due_events(_HINT_GRACE):
        services.jobs.enqueue(Job.APPLY_STRIPE_EVENT, event_id)
    services.jobs.enqueue(Job.PAY_REFUNDS)


def end_quarantine(services: WorkerServices) -> None:
    """Free addresses that have rested long enough."""
    with services.database.transaction() as transaction:
        Ipam(transaction.session).end_quarantine()
