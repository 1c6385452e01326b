"""Failures by name, with the real engine and plugins on the lab; the promises hold after each."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from api.db.migrate import migrate
from api.db.session import connect
from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from automation.embedded.postgres import EmbeddedPostgres
from automation.engine.backend import state_url
from tests.fixtures.engine import Rig, until
from tests.fixtures.lab_worker import LabWorker, lab_worker_on
from tests.fixtures.shop import Shop

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.engine

_SETTINGS = {"fsync": "off", "max_connections": "100"}
_CREATE = {"method": "POST", "path": "*/lxc"}


@pytest.mark.parametrize("status", [500, 502, 595])
def test_an_error_after_the_task_was_accepted_makes_no_second_guest(lab_worker: LabWorker, status: int) -> None:
    """F33: the node has begun with the guest, and says that it failed: what is there is found and adopted."""
    order_id = lab_worker.order()
    fault = {"status": status, "message": "proxy error", "times": 1}
    with lab_worker.lab.faults.proxmox.during("late_error", **_CREATE, **fault) as rule:
        lab_worker.run(order_id)
        (known,) = [found for found in lab_worker.lab.faults.proxmox.all() if found.id == rule.id]
    assert known.hits == 1
    while lab_worker.desk.latest(order_id).status is OperationStatus.QUEUED:
        lab_worker.run(order_id)
    assert lab_worker.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert len(lab_worker.lab.truth.guests()) == 1
    assert lab_worker.checker().check() == []


def test_a_checkpoint_that_was_cut_off_stops_everything_before_it_is_touched(lab_worker: LabWorker) -> None:
    """F22: the operation ends with a clear word, the guest lives on; once the row is back, all goes on."""
    order_id = lab_worker.order()
    lab_worker.run(order_id)
    workload = lab_worker.desk.shop.workload(order_id)
    key = lab_worker.states.keys.checkpoint(workload.stack)
    with psycopg.connect(lab_worker.rig.secrets.backend_url, autocommit=True) as state:
        (whole,) = state.execute("SELECT data::text FROM pulumi_state WHERE key = %s", [key]).fetchone() or ("",)
        cut = whole[: len(whole) // 2] + '"}'
        state.execute("UPDATE pulumi_state SET data = %s::jsonb WHERE key = %s", [cut, key])
        lab_worker.desk.power(order_id, started=False)
        lab_worker.run(order_id)
        assert lab_worker.desk.latest(order_id).error_code == "state_corrupt"
        assert lab_worker.desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
        assert [guest.status for guest in lab_worker.lab.truth.guests()] == ["running"]
        assert {violation.invariant for violation in lab_worker.checker().check()} == {"I8"}
        state.execute("UPDATE pulumi_state SET data = %s::jsonb WHERE key = %s", [whole, key])
    lab_worker.desk.cancel(order_id)
    lab_worker.run(order_id)
    assert lab_worker.desk.shop.workload(order_id).status is WorkloadStatus.DELETED
    assert lab_worker.checker().check() == []


class Outage:
    """A worker on a PostgreSQL of its own, and that server's absence.

    Attributes:
        worker: the worker.
    """

    def __init__(self, folder: Path, rig: Rig, lab: "RunningLab") -> None:
        self._folder = folder
        self._server = EmbeddedPostgres(folder, _SETTINGS)
        url = state_url(self._server.create_database("state-own"), "state-own")
        self._database = connect(self._server.create_database("slipway-own"))
        migrate(self._database)
        impatient = rig.using(rig.settings.program, limits=replace(rig.settings.limits, grace_seconds=2))
        own = replace(impatient, secrets=replace(rig.secrets, backend_url=url))
        self.worker = lab_worker_on(own, lab, Shop(self._database))

    def lasts(self, over: Callable[[], bool]) -> None:
        """Take the server away, as a restart does, until something is so."""
        self._server.stop()
        until(over, 120)
        self._server = EmbeddedPostgres(self._folder, _SETTINGS)

    def close(self) -> None:
        """Stop the server for good."""
        self.worker.kill_engine()
        self.worker.states.close()
        self._database.close()
        self._server.stop()


@pytest.fixture
def outage(rig: Rig, lab: "RunningLab") -> Iterator[Outage]:
    """Return a worker whose database may go away."""
    with TemporaryDirectory(prefix="slipway-pg-") as folder, closing(Outage(Path(folder) / "d", rig, lab)) as made:
        yield made


def test_a_database_that_is_away_for_five_seconds_costs_nothing(outage: Outage) -> None:
    """F14: the engine saves again until it can; lease and result are written when the database is back."""
    worker = outage.worker
    order_id = worker.order()
    control = worker.lab.faults.proxmox
    with control.during("freeze", **_CREATE) as rule:
        work = worker.begin(order_id)
        until(lambda: any(known.id == rule.id and known.hits for known in control.all()), 120)
        back_at = time.monotonic() + 5
        outage.lasts(lambda: time.monotonic() > back_at)
    assert work.result(120)
    assert (worker.desk.latest(order_id).status, worker.desk.latest(order_id).fence) == ("succeeded", 1)
    assert worker.checker().check() == []


def test_a_database_that_is_away_for_longer_than_the_lease_leaves_one_guest(outage: Outage) -> None:
    """F14: the worker gives its engine up, and the next one finds what was made by its name."""
    worker = outage.worker
    order_id = worker.order()
    control = worker.lab.faults.proxmox
    with control.during("freeze", **_CREATE) as rule:
        work = worker.begin(order_id, lease_seconds=8)
        until(lambda: any(known.id == rule.id and known.hits for known in control.all()), 120)
        outage.lasts(lambda: not worker.processes())
    error = work.exception(120)
    assert error is None or isinstance(error, DBAPIError)
    worker.desk.lapse(worker.desk.latest(order_id).id)
    while worker.desk.latest(order_id).status in {OperationStatus.QUEUED, OperationStatus.RUNNING}:
        assert worker.run(order_id)
    assert worker.desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert worker.checker().check() == []
