"""Jobs of machines that no stack has, and of deployments that nobody ends."""

from uuid import UUID

from api.jobs import Job
from api.machines.lifetimes import lifetimes
from api.machines.overdue import OverdueDeployments
from api.machines.power_wishes import PowerWishes
from api.machines.preparation import Preparation
from api.orders.returning import ReturnedMachines
from automation.metal.power import PowerVerb
from automation.services import WorkerServices


def run_machine(services: WorkerServices, deployment_id: str) -> None:
    """Do the next step of a deployment that belongs to no operation."""
    services.machines.run(UUID(deployment_id))


def power_machine(services: WorkerServices, machine_id: str, verb: str) -> None:
    """Switch a machine on or off, if that is wanted still."""
    services.switch.switch(UUID(machine_id), PowerVerb(verb))


def sweep_machines(services: WorkerServices) -> None:
    """End deployments whose time is over, draw what nobody has drawn, and find what a lost message was to hint at."""
    _end_overdue(services)
    _draw(services)
    _finish_removals(services)
    with services.database.transaction() as transaction:
        due = Preparation(transaction.session, lifetimes(services.settings)).due()
    for deployment_id in due:
        services.jobs.enqueue(Job.RUN_MACHINE, deployment_id)
    _switch(services)


def _end_overdue(services: WorkerServices) -> None:
    with services.database.transaction() as transaction:
        overdue = OverdueDeployments(transaction.session).due()
    for deployment_id in overdue:
        with services.database.transaction() as transaction:
            suspect = OverdueDeployments(transaction.session).fail(deployment_id)
        if suspect is not None:
            services.jobs.enqueue(Job.POWER_MACHINE, suspect, PowerVerb.OFF.value)


def _draw(services: WorkerServices) -> None:
    with services.database.transaction() as transaction:
        undrawn = OverdueDeployments(transaction.session).undrawn()
    for deployment_id in undrawn:
        with services.database.transaction() as transaction:
            OverdueDeployments(transaction.session).draw(deployment_id)


def _finish_removals(services: WorkerServices) -> None:
    """Go on with removals that had failed, and whose machine was wiped by a person's decision since."""
    lifetime = services.settings.operation_lifetime_seconds
    with services.database.transaction() as transaction:
        returned = ReturnedMachines(transaction.session, lifetime).due()
    for workload_id in returned:
        with services.database.transaction() as transaction:
            following = ReturnedMachines(transaction.session, lifetime).remove(workload_id)
        if following is not None:
            services.jobs.enqueue(Job.RUN_OPERATION, following.id)


def _switch(services: WorkerServices) -> None:
    with services.database.transaction() as transaction:
        PowerWishes(transaction.session).close_old()
    with services.database.transaction() as transaction:
        wishes = PowerWishes(transaction.session).due()
    for machine_id, verb in wishes:
        services.jobs.enqueue(Job.POWER_MACHINE, machine_id, verb.value)
