"""Jobs of the provider's own stacks."""

from uuid import UUID

from api.jobs import Job
from api.platform.decisions import expired_platform_plans
from api.platform.leases import due_runs
from api.platform.service import PlatformService
from automation.services import WorkerServices


def run_platform(services: WorkerServices, run_id: str) -> None:
    """Carry one platform run out, if it is due and free."""
    services.platform.run(UUID(run_id))


def sweep_platform(services: WorkerServices) -> None:
    """Find due runs by their rows, and end what waits beyond its time."""
    with services.database.transaction() as transaction:
        plans = expired_platform_plans(transaction.session)
    for plan_id in plans:
        services.platform_decisions.expire(plan_id)
    lifetime = services.settings.platform_run_lifetime_seconds
    with services.database.transaction() as transaction:
        overdue = PlatformService(transaction.session, lifetime).overdue()
    for run_id in overdue:
        with services.database.transaction() as transaction:
            PlatformService(transaction.session, lifetime).give_up(run_id)
    with services.database.transaction() as transaction:
        runs = due_runs(transaction.session)
    for run_id in runs:
        services.jobs.enqueue(Job.RUN_PLATFORM, run_id)
