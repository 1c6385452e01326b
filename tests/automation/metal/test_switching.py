"""Power besides operations: carried out once, found when its message was lost, closed when it is too old."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from api.audit.trail import SYSTEM
from api.jobs import Job
from api.machines.care import MachineCare
from api.machines.lifecycle import lock_machine
from api.machines.lifetimes import lifetimes
from api.machines.models import Machine, PowerVerb
from api.machines.power_wishes import PowerWishes
from automation.metal.power import PowerFailed
from automation.metal.switching import MachineSwitch
from automation.tasks.machines import sweep_machines
from tests.fakes.engine import FakeEngine
from tests.fakes.machine_power import FakePowerDrivers
from tests.fakes.state import FakeStateStore
from tests.fixtures.machines import Stable
from tests.fixtures.operations import Desk
from tests.fixtures.runner import GuestsOfEngine, RunnerRig, worker_settings
from tests.fixtures.services import worker_services
from tests.fixtures.trail import records
from tests.races import at_once

REFUSED = PowerFailed("bmc_refused", "The BMC does not accept the login.", is_retryable=False)


class Hall:
    """A pool, a worker that switches its machines, and the clock of wishes."""

    def __init__(self, stable: Stable, folder: Path) -> None:
        self.stable, self.power, self.settings = stable, FakePowerDrivers(), worker_settings(folder)
        self.switch = MachineSwitch(stable.database, self.power)
        engine = FakeEngine()
        rig = RunnerRig(Desk(stable.shop), engine, GuestsOfEngine(engine), self.settings, FakeStateStore(engine))
        self._services = worker_services(rig)

    def ask(self, machine: Machine, verb: PowerVerb) -> None:
        """Want a machine switched."""
        self.stable.change(lambda session: PowerWishes(session).ask(lock_machine(session, machine.id), verb))

    def take(self, machine: Machine, verb: PowerVerb) -> None:
        """Take a wish as a worker does that dies then."""
        assert self.stable.change(lambda session: PowerWishes(session).take(machine.id, verb)) is not None

    def later(self, minutes: float) -> None:
        """Let time pass for every wish."""
        ago = timedelta(minutes=minutes)
        values = {"power_asked_at": Machine.power_asked_at - ago, "power_taken_at": Machine.power_taken_at - ago}
        self.stable.change(lambda session: session.execute(update(Machine).values(**values)))

    def found(self) -> Sequence[tuple[object, ...]]:
        """Sweep, and return which messages were sent again."""
        self.stable.shop.jobs.sent.clear()
        sweep_machines(self._services)
        return self.stable.shop.jobs.of(Job.POWER_MACHINE)

    def ends(self) -> list[tuple[object, str | None]]:
        """Return what the audit trail says came of wishes."""
        return [(one.diff, one.result) for one in records(self.stable.database) if one.action == "machine.switch"]


@pytest.fixture
def hall(stable: Stable, tmp_path: Path) -> Hall:
    """Return a pool without machines, and a worker."""
    return Hall(stable, tmp_path)


def test_staff_switch_a_machine_and_the_end_is_recorded(hall: Hall) -> None:
    """Done or not; a wish is carried out once, whatever the number of its messages."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    assert hall.switch.switch(machine.id, PowerVerb.CYCLE)
    assert not hall.switch.switch(machine.id, PowerVerb.CYCLE)
    hall.power.failures[machine.name].append(REFUSED)
    hall.ask(machine, PowerVerb.OFF)
    assert not hall.switch.switch(machine.id, PowerVerb.OFF)
    assert hall.ends() == [({"verb": "cycle"}, "done"), ({"verb": "off"}, "bmc_refused")]
    assert hall.power.done[machine.name] == ["cycle"]
    assert hall.stable.machine(machine).power_verb is None


def test_a_machine_that_is_being_booted_for_something_is_let_alone(hall: Hall) -> None:
    """Whoever asked before its boot was begun, or found a way to ask since; the end says so."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    hall.stable.change(
        lambda session: MachineCare(session, lifetimes(hall.settings)).inspect(machine.name, "new", SYSTEM)
    )
    assert hall.ends() == [({"verb": "cycle"}, "dropped")]
    assert not hall.switch.switch(machine.id, PowerVerb.CYCLE)
    hall.ask(machine, PowerVerb.OFF)
    assert not hall.switch.switch(machine.id, PowerVerb.OFF)
    assert hall.ends()[1:] == [({"verb": "off"}, "in_use")]
    assert hall.power.done[machine.name] == []


def test_a_message_of_an_older_wish_does_nothing(hall: Hall) -> None:
    """Somebody has thought better of it meanwhile."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.OFF)
    hall.ask(machine, PowerVerb.ON)
    assert not hall.switch.switch(machine.id, PowerVerb.OFF)
    assert hall.switch.switch(machine.id, PowerVerb.ON)
    assert hall.power.done[machine.name] == ["on"]


def test_two_workers_with_the_same_message_switch_once(hall: Hall) -> None:
    """Messages may come twice; a second power cycle would not be harmless."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    ends = at_once([lambda: hall.switch.switch(machine.id, PowerVerb.CYCLE)] * 4)
    assert sorted(ends) == [False, False, False, True]
    assert hall.power.done[machine.name] == ["cycle"]


def test_a_wish_whose_message_was_lost_is_found(hall: Hall) -> None:
    """Not at once, for the first message is on its way; and not one that a worker has taken."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    assert hall.found() == []
    hall.later(minutes=1)
    assert hall.found() == [(machine.id, "cycle")]
    hall.take(machine, PowerVerb.CYCLE)
    assert hall.found() == []


def test_a_wish_that_nobody_came_to_is_closed(hall: Hall) -> None:
    """A machine that restarts long after it was asked for would surprise its owner."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    hall.later(minutes=16)
    assert hall.found() == []
    assert hall.ends() == [({"verb": "cycle"}, "expired")]
    assert hall.stable.machine(machine).power_verb is None


def test_a_wish_whose_worker_died_over_it_is_closed_and_not_repeated(hall: Hall) -> None:
    """Nobody knows whether the machine was restarted: a person looks."""
    machine = hall.stable.add()
    hall.ask(machine, PowerVerb.CYCLE)
    hall.take(machine, PowerVerb.CYCLE)
    hall.later(minutes=16)
    assert hall.found() == []
    assert hall.ends() == [({"verb": "cycle"}, "unknown")]
