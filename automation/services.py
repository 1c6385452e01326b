"""What a worker process is made of: built once after the fork, handed to the tasks."""

import os
import socket
from dataclasses import dataclass
from datetime import timedelta

from api.billing.service import BillingService
from api.billing.stripe_gateway import StripeGateway
from api.db.session import Database, connect
from api.jobs import JobQueue
from api.operations.results import RetryPolicy
from api.settings import WorkerSettings
from api.vault import Vault
from automation.engine.contract import Engine
from automation.operations.guests import ProxmoxGuests
from automation.operations.runner import OperationRunner


@dataclass(frozen=True)
class WorkerServices:
    """The services that tasks call."""

    database: Database
    billing: BillingService
    operations: OperationRunner
    jobs: JobQueue
    settings: WorkerSettings


def build_services(settings: WorkerSettings, engine: Engine, jobs: JobQueue) -> WorkerServices:
    """Build a worker process's services; opens connections lazily, so it may run before PostgreSQL answers."""
    database = connect(settings.database_url.get_secret_value(), pool_size=4)
    policy = RetryPolicy(
        attempts=settings.operation_attempts,
        base_seconds=settings.retry_base_seconds,
        deadline_seconds=settings.operation_lifetime_seconds,
        quarantine=timedelta(seconds=settings.address_quarantine_seconds),
    )
    return WorkerServices(
        database=database,
        billing=BillingService(database, StripeGateway(settings), jobs, policy.deadline_seconds),
        operations=OperationRunner(
            database=database,
            engine=engine,
            guests=ProxmoxGuests(),
            jobs=jobs,
            vault=Vault(settings.master_keys.get_secret_value()),
            settings=settings,
            policy=policy,
            owner=f"{socket.gethostname()}:{os.getpid()}",
        ),
        jobs=jobs,
        settings=settings,
    )
