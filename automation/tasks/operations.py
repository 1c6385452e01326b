"""Operations' jobs."""

from datetime import timedelta
from uuid import UUID

from api.ipam.service import Ipam
from api.jobs import Job
from api.operations.leases import due_operations
from api.operations.stopping import OperationStopper
from api.plans.approvals import expired_plans
from automation.services import WorkerServices
from automation.tasks.platform import sweep_platform
from automation.tasks.quotes import sweep_quotes

_HINT_GRACE = timedelta(seconds=5)


def run_operation(services: WorkerServices, operation_id: str) -> None:
    """Carry one operation out, if it is due and free."""
    services.operations.run(UUID(operation_id))


def sweep(services: WorkerServices) -> None:
    """Find due work by its rows. This, not the broker, is what guarantees that paid means delivered."""
    _end_overdue(services)
    with services.database.transaction() as transaction:
        operations = due_operations(transaction.session, services.settings.clones_per_storage)
    for operation_id in operations:
        services.jobs.enqueue(Job.RUN_OPERATION, operation_id)
    for event_id in services.billing.due_events(_HINT_GRACE):
        services.jobs.enqueue(Job.APPLY_STRIPE_EVENT, event_id)
    services.jobs.enqueue(Job.PAY_REFUNDS)
    sweep_quotes(services)
    sweep_platform(services)


def end_quarantine(services: WorkerServices) -> None:
    """Free addresses that have rested long enough."""
    with services.database.transaction() as transaction:
        Ipam(transaction.session).end_quarantine()


def _end_overdue(services: WorkerServices) -> None:
    """End what waits beyond its time: plans on which nobody decided, and operations that no worker could begin."""
    with services.database.transaction() as transaction:
        plans = expired_plans(transaction.session)
    for plan_id in plans:
        services.approvals.expire(plan_id)
    lifetime = services.settings.operation_lifetime_seconds
    with services.database.transaction() as transaction:
        overdue = OperationStopper(transaction.session, lifetime).overdue()
    for operation_id in overdue:
        with services.database.transaction() as transaction:
            following = OperationStopper(transaction.session, lifetime).give_up(operation_id)
        if following is not None:
            services.jobs.enqueue(Job.RUN_OPERATION, following.id)
