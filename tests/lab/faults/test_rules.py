"""Which request a fault hits."""

import asyncio

import pytest
from pydantic import ValidationError

from lab.faults.rules import REQUEST_KINDS, Fault, FaultKind, FaultTable


def table_with(*faults: Fault) -> FaultTable:
    """A table with these faults."""
    table = FaultTable()
    for fault in faults:
        table.add(fault)
    return table


def test_patterns_choose_node_method_and_path() -> None:
    """All three patterns must fit."""
    table = table_with(Fault(kind=FaultKind.ERROR, where="game-*", method="POST", path="*/clone"))
    assert table.take(REQUEST_KINDS, "game-1", "POST", "/nodes/game-1/qemu/9000/clone")
    assert not table.take(REQUEST_KINDS, "bot-1", "POST", "/nodes/bot-1/qemu/9000/clone")
    assert not table.take(REQUEST_KINDS, "game-1", "GET", "/nodes/game-1/qemu/9000/clone")
    assert not table.take(REQUEST_KINDS, "game-1", "POST", "/nodes/game-1/qemu")


def test_a_fault_with_a_number_of_times_stops_after_them() -> None:
    """It stays listed with its hits, so that a test can see that it was met."""
    table = table_with(Fault(kind=FaultKind.ERROR, times=2))
    hits = [table.take(REQUEST_KINDS, "", "GET", "/") is not None for _ in range(3)]
    assert hits == [True, True, False]
    assert table.all()[0].hits == 2


def test_the_first_requests_pass_a_fault_that_is_for_later_ones() -> None:
    """So a test can let things go wrong at the n-th request, and at no other."""
    table = table_with(Fault(kind=FaultKind.ERROR, after=2, times=1, method="POST"))
    methods = ["POST", "GET", "POST", "GET", "POST", "POST"]
    hits = [table.take(REQUEST_KINDS, "", method, "/") is not None for method in methods]
    assert hits == [False, False, False, False, True, False]


def test_the_first_fault_that_fits_wins() -> None:
    """Rules are asked in the order in which they were added."""
    table = table_with(Fault(kind=FaultKind.ERROR, status=503, times=1), Fault(kind=FaultKind.ERROR, status=500))
    found = [table.take(REQUEST_KINDS, "", "GET", "/") for _ in range(2)]
    assert [fault.status for fault in found if fault] == [503, 500]


def test_task_faults_do_not_hit_requests() -> None:
    """A request asks for request kinds only."""
    table = table_with(Fault(kind=FaultKind.TASK_ERROR, path="qm*"))
    assert table.take(REQUEST_KINDS, "", "POST", "qmclone") is None
    assert table.take(frozenset({FaultKind.TASK_ERROR}), "", "POST", "qmclone") is not None


def test_removing_a_fault_lets_frozen_requests_go_on() -> None:
    """Whoever waits for the removal wakes up."""

    async def scenario() -> None:
        table = table_with(Fault(kind=FaultKind.FREEZE))
        fault = table.take(REQUEST_KINDS, "", "GET", "/")
        assert fault is not None
        waiting = asyncio.create_task(fault.removed())
        assert table.remove(fault.id)
        await asyncio.wait_for(waiting, 5)
        assert not table.remove(fault.id)

    asyncio.run(scenario())


@pytest.mark.parametrize("bad", [{"times": 0}, {"status": 200}, {"seconds": -1}, {"paths": "x"}, {"kind": "fire"}])
def test_an_impossible_fault_is_refused(bad: dict[str, object]) -> None:
    """A typing error in a test must not become a fault that never hits."""
    with pytest.raises(ValidationError):
        Fault.model_validate({"kind": "error", **bad})
