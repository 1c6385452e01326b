"""Engine or plugin is killed at the n-th request to the node or the DNS provider, or at the n-th save of the state.

One round is an `up` and a `destroy` of a bot, each with a death; after each the worker goes on, and every promise holds
against the stand-ins' own truth. A plain ``pytest`` tries each fifth request that changes something, and each fifth
save; ``--crash-points=all`` tries every request, those of previews and look-ups among them, and every save.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from tests.fixtures.engine import until
from tests.fixtures.lab_worker import LabWorker

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine-crash-points")]

_STRIDE = 5
_CHANGES, _ALL = "[!G]*", "*"
Reached = Callable[[], bool]


@dataclass
class Round:
    """One order's life with two deaths.

    Attributes:
        deaths: how many there were.
    """

    worker: LabWorker
    victim: str
    place: str
    number: int
    methods: str
    deaths: int = 0

    def live(self) -> None:
        """Bring the order up and take it down; after each death and in the end every promise holds."""
        order_id = self.worker.order()
        self._survive(order_id)
        shop = self.worker.desk.shop
        assert shop.order(order_id).status is OrderStatus.DELIVERED, self._told(order_id)
        assert shop.workload(order_id).status is WorkloadStatus.RUNNING
        assert self.worker.checker().check() == []
        self.worker.desk.cancel(order_id)
        self._survive(order_id)
        assert shop.workload(order_id).status is WorkloadStatus.DELETED, self._told(order_id)
        assert self.worker.checker().check() == []

    def _survive(self, order_id: UUID) -> None:
        """Carry out the newest operation with a death at the chosen point, and go on until it has ended."""
        with self._held() as is_reached:
            work = self.worker.begin(order_id)
            until(lambda: is_reached() or work.done(), 120)
            if is_reached() and self.worker.processes():
                self._kill()
                self.deaths += 1
        work.result(120)
        if self.worker.desk.latest(order_id).status is OperationStatus.QUEUED:
            assert self.worker.run(order_id)
        assert self.worker.desk.latest(order_id).status is OperationStatus.SUCCEEDED, self._told(order_id)

    def _kill(self) -> None:
        if self.victim == "engine":
            self.worker.kill_engine()
        else:
            self.worker.kill_plugin()

    @contextmanager
    def _held(self) -> Iterator[Reached]:
        """Hold the n-th request or save, for the length of a block."""
        if self.place == "save":
            with self.worker.held_save(self.number) as save:
                yield save.is_reached
                if self.number % 2 and save.is_reached():
                    save.forbid()  # the others are written after the death of who wanted them
            return
        control = getattr(self.worker.lab.faults, self.place)
        with control.during("freeze", method=self.methods, after=self.number - 1, times=1) as rule:
            yield lambda: any(known.id == rule.id and known.hits for known in control.all())

    def _told(self, order_id: UUID) -> str:
        operation = self.worker.desk.latest(order_id)
        return f"{self.victim} at {self.place} {self.number}: {operation.error_code} {operation.error_detail}"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("victim", "place", "first"),
    [
        ("engine", "proxmox", 1),
        ("engine", "cloudflare", 1),
        ("engine", "save", 2),
        ("plugin", "proxmox", 2),
        ("plugin", "cloudflare", 2),
    ],
)
def test_a_death_at_any_request_or_save_ends_with_one_guest_or_none(
    lab_worker: LabWorker, crash_stride: int, victim: str, place: str, first: int
) -> None:
    """F1, F2, F3, F33: one guest after the `up`, nothing after the `destroy`, whatever was cut off."""
    every = crash_stride == 1
    deaths = 0
    for number in range(1, 1000) if every else range(first, 1000, _STRIDE):
        one = Round(lab_worker, victim, place, number, _ALL if every else _CHANGES)
        one.live()
        deaths += one.deaths
        if one.deaths == 0:
            break
    assert deaths >= 1
