"""A fleet of machines that are not there: what must hold of it whatever goes wrong."""

from collections.abc import Callable

import pytest

from api.db.session import Database
from components.specs.machine import DeploymentKind, MachineState
from lab.metal.fleet.disks import Write
from lab.metal.fleet.fleet import Fleet, FleetSize
from lab.metal.fleet.iron import Iron
from lab.metal.fleet.oracle import Judgement, Watch, sentences
from lab.metal.fleet.stocking import fill_image_store
from lab.metal.fleet.troubles import TroublePlan, kinds_of
from tests.fixtures.api import Api
from tests.fixtures.boot_service import BootService

NewFleet = Callable[[TroublePlan, FleetSize], Fleet]
WELL = TroublePlan(seed=1, rate=0.0)
_ENDS = frozenset({MachineState.AVAILABLE, MachineState.QUARANTINE, MachineState.ACTIVE})


@pytest.fixture
def new_fleet(api: Api, start_boot_service: Callable[..., BootService]) -> NewFleet:
    """Return what makes a fleet for a running API and a running boot service."""
    service = start_boot_service(pxe_requests_per_minute=10_000_000)
    fill_image_store(service.runtime.settings.pxe_image_store)
    database, vault = api.runtime.database, api.runtime.vault
    return lambda plan, size: Fleet(database, vault, api.url, service.url, plan, size)


def test_a_fleet_with_many_faults_leaves_no_machine_wrongly_written_or_unwiped(new_fleet: NewFleet) -> None:
    """Four of ten installations and removals go wrong; each machine ends wiped, in quarantine, or its customer's."""
    report = new_fleet(TroublePlan(seed=7, rate=0.4), FleetSize(machines=40, at_once=4)).run()
    assert report.wrong == [], sentences(report.wrong)
    assert report.surprises == []
    assert set(report.states) == _ENDS
    assert sum(report.states.values()) == 40
    assert report.troubles.total() > 15
    assert report.looks > 0


def test_a_fleet_without_faults_is_sold_again_and_again(new_fleet: NewFleet) -> None:
    """Everything is delivered; what is cancelled comes back wiped, and goes to the next customer."""
    report = new_fleet(WELL, FleetSize(machines=3, rounds=2, at_once=3)).run()
    assert (report.wrong, report.surprises) == ([], [])
    assert report.outcomes == {"delivered, kept": 2, "delivered, taken away": 3}
    assert report.states == {MachineState.ACTIVE: 2, MachineState.AVAILABLE: 1}


def test_the_oracle_sees_what_must_not_be(new_fleet: NewFleet, database: Database) -> None:
    """Data on a machine that can be sold, a write for another machine, and one over a customer's data are told."""
    fleet = new_fleet(WELL, FleetSize(machines=3, at_once=3))
    assert fleet.run().wrong == []
    first, second = (iron for iron in fleet.machines.values() if iron.is_empty())
    watch = Watch(database, fleet.machines)
    first.writes.append(_install_of(second))
    second.writes.insert(_first_wipe_of(second), _install_of(first))
    first.tenant_writes("left-behind")
    watch.look()
    assert watch.found == [f"{first.label.name} is available, and not empty"]
    with database.transaction() as transaction:
        faults = "\n".join(Judgement(transaction.session, fleet.machines).faults([]))
    assert f"{first.label.name}: sda was written to for a deployment of another machine" in faults
    assert f"{first.label.name}: is available, and sda was written to after its last wipe" in faults
    assert f"{first.label.name}: is available, and its BMC has users of a customer" in faults
    assert f"{second.label.name}: sda was installed over another customer's data" in faults
    assert "ended 'active'" in faults, "nobody has said that this customer stays"


def _install_of(iron: Iron) -> Write:
    return next(write for write in iron.writes if write.disk == "sda" and write.deployment_id is not None)


def _first_wipe_of(iron: Iron) -> int:
    return next(index for index, write in enumerate(iron.writes) if write.marker is None)


def test_what_goes_wrong_is_the_same_for_the_same_seed() -> None:
    """Whoever finds a fault in a fleet can have it again by its seed; every kind comes up."""
    names = [f"box-{number}" for number in range(2000)]
    drawn = [TroublePlan(3, 0.1).draw(name, DeploymentKind.WIPE) for name in names]
    assert drawn == [TroublePlan(3, 0.1).draw(name, DeploymentKind.WIPE) for name in names]
    assert drawn != [TroublePlan(4, 0.1).draw(name, DeploymentKind.WIPE) for name in names]
    found = [trouble.kind for trouble in drawn if trouble is not None]
    assert set(found) == set(kinds_of(DeploymentKind.WIPE))
    assert 120 < len(found) < 280
