"""The job contract: the API names jobs and enqueues them, ``automation.tasks`` implements them.

A message on the broker is a hint. The truth is a row, and a sweep finds rows whose hint was lost.
"""

from enum import StrEnum
from typing import Protocol
from uuid import UUID

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis import RedisError


class Job(StrEnum):
    """Names of all jobs, ``area.verb``."""

    APPLY_STRIPE_EVENT = "billing.apply_stripe_event"
    RECONCILE_PAYMENTS = "billing.reconcile_payments"
    PAY_REFUNDS = "billing.pay_refunds"
    RUN_OPERATION = "operations.run"
    SWEEP = "operations.sweep"
    END_QUARANTINE = "ipam.end_quarantine"
    PREVIEW_QUOTE = "quotes.preview"
    VERIFY_AUDIT = "audit.verify"
    PRUNE_STATE = "state.prune"
    SCAN_DRIFT = "drift.scan"
    SWEEP_ORPHANS = "drift.sweep_orphans"
    REMOVE_ORPHAN = "drift.remove_orphan"
    RUN_PLATFORM = "platform.run"
    RUN_MACHINE = "machines.run"
    POWER_MACHINE = "machines.power"
    SWEEP_MACHINES = "machines.sweep"


class JobQueue(Protocol):
    """Where jobs are sent, after the commit of the transaction that made them due."""

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Send a hint. Must not raise when the broker is away: the sweep finds the row."""


_LOG = structlog.get_logger(__name__)


class CeleryJobQueue:
    """Sends hints through Celery; a broker that is away costs latency, never an order."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def enqueue(self, job: Job, *arguments: str | UUID) -> None:
        """Send a hint; see ``JobQueue``. Arguments are ids, never data."""
        try:
            self._app.send_task(job.value, args=[str(argument) for argument in arguments])
        except (OperationalError, RedisError, OSError) as error:
            _LOG.warning("hint_not_sent", job=job.value, error=type(error).__name__)


def make_celery(redis_url: str) -> Celery:
    """Build the Celery application, without tasks, for sending or serving jobs.

    Tasks are acknowledged late and never prefetched, so a dead worker's task is delivered again; results are not
    kept, because the rows tell.
    """
    app = Celery("slipway", broker=_broker_url(redis_url))
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "retry_on_timeout": False,
            "max_retries": 0,
        },
        task_publish_retry=False,
        task_default_queue="slipway",
        timezone="UTC",
    )
    return app


def _broker_url(redis_url: str) -> str:
    """Redis by socket is ``unix://`` to redis-py and ``redis+socket://`` to kombu."""
    return redis_url.replace("unix://", "redis+socket://", 1)
