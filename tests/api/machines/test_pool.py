"""Machines chosen for orders, and held."""

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.db.session import Database
from api.machines.errors import NoMachine
from api.machines.lifecycle import lock_machine
from api.machines.models import Machine
from api.machines.pool import MachinePool
from components.specs.machine import MachineState
from tests.fixtures.machines import Stable
from tests.races import at_once


def reserve(stable: Stable, workload_id: UUID, machine_class: str = "ax41") -> Machine:
    """Reserve a machine as an order does."""
    sites = stable.sites()
    return stable.change(lambda session: MachinePool(session).reserve(machine_class, sites, workload_id))


def release(stable: Stable, workload_id: UUID) -> None:
    """Let an order go that was never paid."""
    stable.change(lambda session: MachinePool(session).release_unpaid(workload_id))


def workloads(stable: Stable, number: int) -> list[UUID]:
    """Return so many workloads."""
    return [stable.shop.workload(stable.shop.place()).id for _ in range(number)]


def test_an_order_gets_a_machine_of_its_class_at_one_of_its_sites(stable: Stable) -> None:
    """It is held for the workload, and no longer offered; the move is in the audit trail."""
    (workload_id,) = workloads(stable, 1)
    stable.add(machine_class="ax102")
    wanted = stable.add()
    held = reserve(stable, workload_id)
    assert (held.id, held.state, held.workload_id) == (wanted.id, MachineState.RESERVED, workload_id)
    assert stable.moves(wanted) == [("available", "reserved")]
    with pytest.raises(NoMachine, match="no machine of class 'ax41' is free"):
        reserve(stable, workload_id)


def test_a_machine_elsewhere_or_in_another_state_is_not_offered(stable: Stable) -> None:
    """An order's addresses are at one site, and only what is proven empty is sold."""
    stable.add()
    sold = workloads(stable, 3)
    for state, workload_id in zip(
        (MachineState.RESERVED, MachineState.ACTIVE, MachineState.CLEANING), sold, strict=True
    ):
        stable.add(state, workload_id=workload_id)
    stable.add(MachineState.QUARANTINE)
    with pytest.raises(NoMachine):
        stable.change(lambda session: MachinePool(session).reserve("ax41", [uuid7()], uuid7()))
    assert stable.change(lambda session: MachinePool(session).look("ax41", [uuid7()])) is None
    assert stable.change(lambda session: MachinePool(session).free("ax41")) == 1


def test_the_workload_may_be_written_after_its_machine_was_taken(stable: Stable) -> None:
    """A workload is made with its machine's id, so the reference is held against the table at the commit."""
    stable.add()
    with pytest.raises(IntegrityError):
        reserve(stable, uuid7())
    assert stable.change(lambda session: MachinePool(session).free("ax41")) == 1


def test_of_two_orders_for_the_last_machine_one_gets_it(stable: Stable) -> None:
    """The other is told that none is left, and nothing else goes wrong."""
    machine = stable.add()
    for _ in range(8):
        buyers = workloads(stable, 2)
        results = at_once([partial(reserve, stable, buyer) for buyer in buyers])
        assert {type(result) for result in results} == {Machine, NoMachine}
        (winner,) = (buyer for buyer, result in zip(buyers, results, strict=True) if isinstance(result, Machine))
        assert stable.machine(machine).workload_id == winner
        release(stable, winner)


def test_orders_for_several_machines_at_once_get_one_each(stable: Stable) -> None:
    """Nobody is told that none is left while there is one, though all look at the same ones."""
    machines = {stable.add().id for _ in range(4)}
    results = at_once([partial(reserve, stable, buyer) for buyer in workloads(stable, 4)])
    assert {result.id for result in results if isinstance(result, Machine)} == machines


def test_an_order_that_waits_gets_the_last_machine_if_the_other_is_rolled_back(
    stable: Stable, database: Database
) -> None:
    """Who comes second is not turned away for an order that was never placed."""
    machine = stable.add()
    first, second = workloads(stable, 2)
    sites = stable.sites()

    def withdraw() -> None:
        with database.transaction() as transaction:
            MachinePool(transaction.session).reserve("ax41", sites, first)
            transaction.session.rollback()

    def take() -> Machine:
        return reserve(stable, second)

    for _ in range(8):
        results = at_once([withdraw, take])
        assert isinstance(results[1], Machine), results
        assert stable.machine(machine).workload_id == second
        release(stable, second)


def test_an_unpaid_orders_machine_is_offered_again(stable: Stable) -> None:
    """Nothing was written to it, so its last wipe still counts; a second time changes nothing."""
    machine = stable.add()
    (workload_id,) = workloads(stable, 1)
    reserve(stable, workload_id)
    for _ in range(2):
        release(stable, workload_id)
    assert (stable.state(machine), stable.machine(machine).workload_id) == (MachineState.AVAILABLE, None)
    assert stable.moves(machine) == [("available", "reserved"), ("reserved", "available")]


def test_a_machine_that_was_written_to_is_not_released_as_unpaid(stable: Stable) -> None:
    """Whatever happened: it goes through a wipe."""
    (workload_id,) = workloads(stable, 1)
    machine = stable.add(MachineState.RESERVED, workload_id=workload_id)

    def write(session: Session) -> None:
        locked = lock_machine(session, machine.id)
        locked.written_at = locked.wiped_at

    stable.change(write)
    release(stable, workload_id)
    assert stable.state(machine) is MachineState.RESERVED


def test_machines_are_counted_by_class_and_state(stable: Stable) -> None:
    """For capacity and figures."""
    stable.add()
    stable.add()
    stable.add(MachineState.QUARANTINE, machine_class="ax102")
    assert stable.change(lambda session: MachinePool(session).counts()) == {
        ("ax41", MachineState.AVAILABLE): 2,
        ("ax102", MachineState.QUARANTINE): 1,
    }
