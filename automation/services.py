"""What a worker process is made of: built once after the fork, handed to the tasks."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from api.billing.service import BillingService
from api.billing.stripe_gateway import StripeGateway
from api.db.session import Database, connect
from api.jobs import JobQueue
from api.operations.results import RetryPolicy
from api.plans.approvals import ApprovalService
from api.plans.judge import ServiceJudge
from api.platform.decisions import PlatformDecisions
from api.settings import WorkerSettings
from api.state.store import StateStore
from api.vault import Vault
from automation.drift.examine import Examiner
from automation.drift.orphans import OrphanSweep
from automation.drift.records import CloudflareRecords
from automation.drift.scan import DriftScan
from automation.engine.contract import Engine
from automation.engine.process import boot_id
from automation.metal.drivers import BmcDrivers
from automation.metal.passwords import BmcPasswords
from automation.metal.runner import MachineRunner
from automation.metal.switching import MachineSwitch
from automation.operations.environment import with_boot_service
from automation.operations.fencing import DatabaseFences
from automation.operations.guests import ProxmoxGuests
from automation.operations.planning import PlanGate
from automation.operations.runner import OperationRunner
from automation.platform.locks import StackLocks
from automation.platform.planning import RunPlanner
from automation.platform.runner import PlatformRunner
from automation.quotes.planner import QuotePlanner
from pxe.power.connection import driver_for


@dataclass(frozen=True)
class WorkerServices:
    """The services that tasks call."""

    database: Database
    billing: BillingService
    operations: OperationRunner
    approvals: ApprovalService
    drift: DriftScan
    examiner: Examiner
    orphans: OrphanSweep
    quotes: QuotePlanner
    platform: PlatformRunner
    platform_decisions: PlatformDecisions
    machines: MachineRunner
    switch: MachineSwitch
    jobs: JobQueue
    settings: WorkerSettings


@dataclass(frozen=True, slots=True)
class Engines:
    """What drives stacks: those of customers' workloads, and the provider's own."""

    workload: Engine
    platform: Engine


def build_services(
    settings: WorkerSettings, engines: Engines, jobs: JobQueue, versions: Mapping[str, str]
) -> WorkerServices:
    """Build a worker process's services; opens connections lazily, so it may run before PostgreSQL answers.

    Args:
        settings: the worker's.
        engines: drive the stacks.
        jobs: where hints are sent.
        versions: of the program, the CLI and the plugins that ``engines`` use.
    """
    database = connect(settings.database_url.get_secret_value(), pool_size=4, role=settings.database_role)
    policy = RetryPolicy(
        attempts=settings.operation_attempts,
        base_seconds=settings.retry_base_seconds,
        deadline_seconds=settings.operation_lifetime_seconds,
        quarantine=timedelta(seconds=settings.address_quarantine_seconds),
    )
    vault, guests = Vault(settings.master_keys.get_secret_value()), ProxmoxGuests()
    records = CloudflareRecords(settings)
    states = StateStore(settings.state_database_url.get_secret_value())
    fences = DatabaseFences(database, socket.gethostname(), boot_id())
    bmcs = BmcDrivers(
        BmcPasswords(database, vault, driver_for).in_force,
        lambda bmc: driver_for(with_boot_service(bmc, settings)),
    )
    owner, engine = f"{socket.gethostname()}:{os.getpid()}", engines.workload
    return WorkerServices(
        database=database,
        billing=BillingService(database, StripeGateway(settings), jobs, policy.deadline_seconds),
        operations=OperationRunner(
            database=database,
            engine=engine,
            guests=guests,
            jobs=jobs,
            vault=vault,
            settings=settings,
            policy=policy,
            plans=PlanGate(database, states, ServiceJudge(), versions),
            fences=fences,
            owner=owner,
        ),
        approvals=ApprovalService(database, jobs, states, policy.deadline_seconds),
        drift=DriftScan(database, guests, records, vault, settings),
        examiner=Examiner(database, engine, jobs, vault, settings),
        orphans=OrphanSweep(database, guests, records, jobs, vault, settings),
        quotes=QuotePlanner(database, engine, vault, settings),
        platform=PlatformRunner(
            database=database,
            engine=engines.platform,
            settings=settings,
            policy=replace(policy, deadline_seconds=settings.platform_run_lifetime_seconds),
            plans=RunPlanner(database, states, versions),
            locks=StackLocks(states, settings.work_root, socket.gethostname()),
            fences=fences,
            owner=owner,
        ),
        platform_decisions=PlatformDecisions(database, jobs, states, settings.platform_run_lifetime_seconds),
        machines=MachineRunner(database, bmcs, jobs, settings, owner),
        switch=MachineSwitch(database, bmcs),
        jobs=jobs,
        settings=settings,
    )
