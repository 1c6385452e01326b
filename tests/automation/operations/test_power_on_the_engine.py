"""Stopping and starting with the real engine and plugins, on nodes that refuse what cannot be, as Proxmox VE does."""

from typing import Any
from uuid import UUID

import pytest

from api.operations.models import Operation
from api.workloads.models import WorkloadStatus
from tests.factories.orders import BOT, CLOUD_VM, GAME_SERVER
from tests.fixtures.engine import until
from tests.fixtures.lab_worker import LabWorker

pytestmark = pytest.mark.engine

_ENDINGS = {"qmshutdown", "qmstop", "vzshutdown", "vzstop"}


def switched(worker: LabWorker, order_id: UUID, *, started: bool) -> Operation:
    """Stop or start an order's guest; the one attempt that it took, of which no line tells of a trouble."""
    worker.desk.power(order_id, started=started)
    assert worker.run(order_id)
    operation = worker.desk.latest(order_id)
    lines = worker.desk.lines(operation.id)
    assert (operation.status, operation.attempts, operation.error_code) == ("succeeded", 1, None), lines
    assert [line.message for line in lines if line.kind in {"diagnostic", "retry"}] == []
    expected = WorkloadStatus.RUNNING if started else WorkloadStatus.STOPPED
    assert worker.desk.shop.workload(order_id).status is expected
    assert [guest.status for guest in worker.lab.truth.guests()] == [expected]
    return operation


def endings(worker: LabWorker) -> list[tuple[str, str]]:
    """Each task that ended the guest, with its end, oldest first."""
    (guest,) = worker.lab.truth.guests()
    tasks = worker.lab.truth.node(guest.node).nodes(guest.node).tasks.get(vmid=guest.vmid)
    return [(task["type"], task["status"]) for task in reversed(tasks) if task["type"] in _ENDINGS]


@pytest.mark.parametrize(
    ("body", "guests", "ending"),
    [(BOT, "lxc", "vzshutdown"), (GAME_SERVER, "lxc", "vzshutdown"), (CLOUD_VM, "qemu", "qmshutdown")],
    ids=["bot", "game", "cloud"],
)
def test_a_guest_is_stopped_at_the_first_attempt_whether_it_runs_or_has_halted_by_itself(
    lab_worker: LabWorker, body: dict[str, Any], guests: str, ending: str
) -> None:
    """One that runs is asked once to shut down, and not switched off; one that was halted from within is not asked."""
    order_id = lab_worker.desk.shop.place_paid(**body)
    assert lab_worker.run(order_id)
    stopped = switched(lab_worker, order_id, started=False)
    assert endings(lab_worker) == [(ending, "OK")]
    assert stopped.pulumi_processes == 2
    switched(lab_worker, order_id, started=True)
    (guest,) = lab_worker.lab.truth.guests()
    lab_worker.lab.truth.node(guest.node).nodes(guest.node)(guests)(guest.vmid).status.shutdown.post()
    until(lambda: [guest.status for guest in lab_worker.lab.truth.guests()] == ["stopped"])
    halted = switched(lab_worker, order_id, started=False)
    assert endings(lab_worker) == [(ending, "OK")] * 2
    assert halted.pulumi_processes == 2
    assert lab_worker.checker().check() == []
