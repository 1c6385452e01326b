"""Jobs, their functions and their clock; and the real broker between the two."""

from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from api.jobs import CeleryJobQueue, Job, make_celery
from automation.services import WorkerServices
from automation.tasks.registry import TASKS, register
from tests.fixtures.runner import worker_settings


def _no_services() -> WorkerServices:
    raise AssertionError("no task is run here")


def test_every_job_of_the_contract_has_a_function() -> None:
    """A job that nobody serves would wait on the broker for ever."""
    assert set(TASKS) == set(Job)


def test_every_job_is_registered_and_the_periodic_ones_have_a_clock(tmp_path: Path) -> None:
    """A tick that could not be served in its time is dropped: the next one does the same."""
    app = make_celery("redis://127.0.0.1:1/0")
    register(app, _no_services, worker_settings(tmp_path, sweep_seconds=3, reconcile_seconds=60))
    assert {job.value for job in Job} <= set(app.tasks)
    clock = {name: (entry["schedule"], entry["options"]["expires"]) for name, entry in app.conf.beat_schedule.items()}
    assert clock == {
        "operations.sweep": (3, 3),
        "machines.sweep": (3, 3),
        "billing.reconcile_payments": (60, 60),
        "ipam.end_quarantine": (60, 60),
        "state.prune": (3600, 3600),
        "audit.verify": (86400, 86400),
        "drift.scan": (60, 60),
        "drift.sweep_orphans": (900, 900),
    }


def test_a_hint_is_a_name_and_ids_on_the_broker(redis_url: str, redis: Redis) -> None:
    """No data, and no secret, ever travels in a message."""
    operation_id = uuid4()
    with make_celery(redis_url) as app:
        CeleryJobQueue(app).enqueue(Job.RUN_OPERATION, operation_id)
    waiting = redis.lrange("slipway", 0, -1)
    assert isinstance(waiting, list)
    assert len(waiting) == 1
    assert b"operations.run" in waiting[0]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_a_broker_that_is_away_costs_a_hint_and_nothing_else(url: str) -> None:
    """The caller's transaction is committed by then; the sweep finds the row."""
    with make_celery(url) as app:
        CeleryJobQueue(app).enqueue(Job.SWEEP)
