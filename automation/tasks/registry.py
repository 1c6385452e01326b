"""Binds the job contract's names to their functions, and the periodic ones to their clock."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from celery import Celery

from api.jobs import Job
from api.settings import WorkerSettings
from automation.services import WorkerServices
from automation.tasks.audit import verify_audit
from automation.tasks.billing import apply_stripe_event, pay_refunds, reconcile_payments
from automation.tasks.drift import remove_orphan, scan_drift, sweep_orphans
from automation.tasks.machines import power_machine, run_machine, sweep_machines
from automation.tasks.operations import end_quarantine, run_operation, sweep
from automation.tasks.platform import run_platform
from automation.tasks.quotes import preview_quote
from automation.tasks.state import prune_state

TASKS: Mapping[Job, Callable[..., None]] = MappingProxyType(
    {
        Job.APPLY_STRIPE_EVENT: apply_stripe_event,
        Job.RECONCILE_PAYMENTS: reconcile_payments,
        Job.PAY_REFUNDS: pay_refunds,
        Job.RUN_OPERATION: run_operation,
        Job.SWEEP: sweep,
        Job.END_QUARANTINE: end_quarantine,
        Job.PREVIEW_QUOTE: preview_quote,
        Job.PRUNE_STATE: prune_state,
        Job.VERIFY_AUDIT: verify_audit,
        Job.SCAN_DRIFT: scan_drift,
        Job.SWEEP_ORPHANS: sweep_orphans,
        Job.REMOVE_ORPHAN: remove_orphan,
        Job.RUN_PLATFORM: run_platform,
        Job.RUN_MACHINE: run_machine,
        Job.POWER_MACHINE: power_machine,
        Job.SWEEP_MACHINES: sweep_machines,
    }
)


def register(app: Celery, services: Callable[[], WorkerServices], settings: WorkerSettings) -> None:
    """Register every job; ``services`` is called in the worker process that runs the task."""
    for job, function in TASKS.items():
        app.task(name=job.value)(_bound(function, services))
    app.conf.beat_schedule = {
        job.value: {"task": job.value, "schedule": seconds, "options": {"expires": seconds}}
        for job, seconds in (
            (Job.SWEEP, settings.sweep_seconds),
            (Job.SWEEP_MACHINES, settings.sweep_seconds),
            (Job.RECONCILE_PAYMENTS, settings.reconcile_seconds),
            (Job.END_QUARANTINE, settings.reconcile_seconds),
            (Job.PRUNE_STATE, settings.state_prune_seconds),
            (Job.VERIFY_AUDIT, settings.audit_verify_seconds),
            (Job.SCAN_DRIFT, settings.drift_tick_seconds),
            (Job.SWEEP_ORPHANS, settings.orphan_sweep_seconds),
        )
    }


def _bound(function: Callable[..., None], services: Callable[[], WorkerServices]) -> Callable[..., None]:
    def task(*arguments: Any) -> None:
        function(services(), *arguments)

    task.__doc__ = function.__doc__
    return task
