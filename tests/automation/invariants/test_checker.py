"""Each invariant is broken on purpose, and the checker says which and whose; what is only under way is no violation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from automation.invariants.checker import InvariantChecker
from automation.invariants.world import SeenGuest, Violation, World
from tests.fixtures.promises import FakeOutside, FakeStateCheck, SameSession, checker
from tests.fixtures.runner import RunnerRig

_NO_TRIGGERS = "SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica"
Sabotage = Callable[[World], World]


class Changed:
    """A world with something wrong in it."""

    def __init__(self, rig: RunnerRig, change: Sabotage) -> None:
        self._outside = FakeOutside(rig)
        self._change = change

    def look(self) -> World:
        """Return what is there, with the change."""
        return self._change(self._outside.look())


def _broken(rig: RunnerRig, change: Sabotage) -> list[Violation]:
    return InvariantChecker(rig.desk.shop.database, Changed(rig, change), FakeStateCheck(rig)).check()


@pytest.fixture
def order_id(runner_rig: RunnerRig) -> UUID:
    """Return an order that was delivered and is in perfect order."""
    delivered = runner_rig.delivered()
    assert checker(runner_rig).check() == []
    return delivered


@pytest.mark.parametrize(
    ("invariant", "statement"),
    [
        ("I1", "UPDATE orders SET status = 'paid'"),
        ("I1", "UPDATE orders SET status = 'refund_due'"),
        ("I1", "UPDATE orders SET status = 'refunded'"),
        ("I1", "UPDATE workloads SET status = 'updating'"),
        ("I4", "UPDATE ledger_entries SET amount_cents = 1"),
        ("I4", "DELETE FROM ledger_entries"),
        ("I5", "UPDATE addresses SET state = 'free', workload_id = NULL WHERE state = 'held'"),
        ("I6", "UPDATE nodes SET used_cores = used_cores + 1"),
        ("I6", "UPDATE allocations SET released_at = now()"),
        ("I12", "UPDATE operations SET status = 'running', deadline_at = now() - interval '1 hour'"),
        ("I12", "UPDATE operations SET lease_until = now()"),
        ("I13", "DELETE FROM audit_records WHERE action = 'operation.end'"),
        ("I13", "DELETE FROM audit_records WHERE action = 'workload.status'"),
    ],
)
@pytest.mark.usefixtures("order_id")
def test_a_row_that_was_edited_is_found(runner_rig: RunnerRig, invariant: str, statement: str) -> None:
    """Whatever constraints and triggers were got round: the rows do not fit each other."""

    def edit(session: Any) -> None:
        session.execute(text(_NO_TRIGGERS))
        session.execute(text(statement))

    runner_rig.desk.shop.change(edit)
    assert invariant in {violation.invariant for violation in checker(runner_rig).check()}


def test_rows_that_share_an_address_or_a_number_are_found(runner_rig: RunnerRig, order_id: UUID) -> None:
    """I5 and I7, with the indexes that forbid it gone."""
    other = runner_rig.delivered()
    theirs = runner_rig.desk.shop.workload(other)

    def edit(session: Any) -> None:
        session.execute(text("SET LOCAL ROLE NONE"))
        for index in ("ALTER TABLE workloads DROP CONSTRAINT uq_workloads_vmid", "DROP INDEX uq_operations_active"):
            session.execute(text(index))
        shared = {"vmid": theirs.vmid, "order": order_id}
        session.execute(text("UPDATE workloads SET vmid = :vmid WHERE order_id = :order"), shared)
        session.execute(text("UPDATE operations SET workload_id = :id, status = 'queued'"), {"id": theirs.id})
        found = {str(item) for item in InvariantChecker(SameSession(session)).check()}  # type: ignore[arg-type]
        assert f"I5 {theirs.vmid}: 2 live workloads have this VMID" in found
        assert f"I7 {theirs.id}: 2 operations are active at once" in found
        session.rollback()

    runner_rig.desk.shop.change(edit)


_COPY = SeenGuest("bot-1", 7, frozenset({"slipway", "order-nobody"}))
_WORLDS: dict[str, tuple[str, Sabotage]] = {
    "a guest is gone": ("I3", lambda world: replace(world, guests=())),
    "a guest of nobody": ("I3", lambda world: replace(world, guests=(*world.guests, _COPY))),
    "a guest on another node": (
        "I3",
        lambda world: replace(world, guests=tuple(replace(guest, node="else") for guest in world.guests)),
    ),
    "a second guest": ("I2", lambda world: replace(world, guests=(*world.guests, replace(world.guests[0], vmid=7)))),
    "two guests with one address": (
        "I5",
        lambda world: replace(world, guests=(*world.guests, replace(_COPY, addresses=world.guests[0].addresses))),
    ),
    "two guests with one MAC": (
        "I5",
        lambda world: replace(world, guests=(*world.guests, replace(_COPY, macs=world.guests[0].macs))),
    ),
    "no records": ("I3", lambda world: replace(world, records={})),
    "a record of nobody": ("I3", lambda world: replace(world, records={("x.example", "A"): ("192.0.2.1",)})),
    "a record twice": (
        "I2",
        lambda world: replace(
            world, records={key: (*value, "192.0.2.9") for key, value in (world.records or {}).items()}
        ),
    ),
    "money that nobody booked": ("I4", lambda world: replace(world, money={})),
    "two engines": ("I7", lambda world: replace(world, engines={"w-1": 2})),
}


@pytest.mark.usefixtures("order_id")
def test_a_world_that_does_not_fit_the_rows_is_found(runner_rig: RunnerRig) -> None:
    """The node, the DNS provider and the payment provider are believed."""
    for what, (invariant, change) in _WORLDS.items():
        assert invariant in {violation.invariant for violation in _broken(runner_rig, change)}, what


@pytest.mark.usefixtures("order_id")
def test_a_stranger_on_a_node_is_none_of_our_business(runner_rig: RunnerRig) -> None:
    """A guest without our tag is left out of everything but addresses."""
    stranger = SeenGuest("cloud-1", 101, frozenset({"theirs"}))
    assert _broken(runner_rig, lambda world: replace(world, guests=(*world.guests, stranger))) == []


def test_a_stack_that_is_locked_with_nothing_at_work_is_found(runner_rig: RunnerRig, order_id: UUID) -> None:
    """I8 is what the state's own check says."""
    stack = runner_rig.desk.shop.workload(order_id).stack
    runner_rig.engine.stacks[stack].locked = True
    assert [str(item) for item in checker(runner_rig).check()] == [f"I8 {stack}: it is locked, and nothing is at work"]


@pytest.mark.usefixtures("order_id")
def test_what_is_broken_for_one_look_only_is_no_violation(runner_rig: RunnerRig) -> None:
    """Rows and world cannot be read at one instant: what heals by itself was an operation in between."""
    looks = []

    def once(world: World) -> World:
        looks.append(world)
        return replace(world, guests=()) if len(looks) == 1 else world

    assert _broken(runner_rig, once) == []
    assert len(looks) == 2


def test_work_under_way_breaks_nothing(runner_rig: RunnerRig) -> None:
    """Neither in the queue, nor with an engine at work, nor while it is being removed."""
    order_id = runner_rig.desk.shop.place_paid()
    assert checker(runner_rig).check() == []
    with runner_rig.at_work(order_id) as (gate, work):
        assert checker(runner_rig).check() == []
        gate.open()
        work.result()
    runner_rig.desk.cancel(order_id)
    with runner_rig.at_work(order_id) as (gate, work):
        assert checker(runner_rig).check() == []
        gate.open()
        work.result()
    assert checker(runner_rig).check() == []
