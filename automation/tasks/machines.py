"""Jobs of machines that no stack has, and of deployments that nobody ends."""

from uuid import UUID

from api.jobs import Job
from api.machines.lifetimes import lifetimes
from api.machines.overdue import OverdueDeployments
from api.machines.preparation import Preparation
from automation.metal.power import PowerVerb
from automation.services import WorkerServices


def run_machine(services: WorkerServices, deployment_id: str) -> None:
    """Do the next step of a deployment that belongs to no operation."""
    services.machines.run(UUID(deployment_id))


def power_machine(services: WorkerServices, machine_id: str, verb: str) -> None:
    """Switch a machine on or off for staff."""
    services.switch.switch(UUID(machine_id), PowerVerb(verb))


def sweep_machines(services: WorkerServices) -> None:
    """End deployments whose time is over, draw what nobody has drawn, and find steps whose hint was lost."""
    with services.database.transaction() as transaction:
        overdue = OverdueDeployments(transaction.session).due()
    for deployment_id in overdue:
        with services.database.transaction() as transaction:
            suspect = OverdueDeployments(transaction.session).fail(deployment_id)
        if suspect is not None:
            services.jobs.enqueue(Job.POWER_MACHINE, suspect, PowerVerb.OFF.value)
    with services.database.transaction() as transaction:
        undrawn = OverdueDeployments(transaction.session).undrawn()
    for deployment_id in undrawn:
        with services.database.transaction() as transaction:
            OverdueDeployments(transaction.session).draw(deployment_id)
    with services.database.transaction() as transaction:
        due = Preparation(transaction.session, lifetimes(services.settings)).due()
    for deployment_id in due:
        services.jobs.enqueue(Job.RUN_MACHINE, deployment_id)
