"""A fleet of machines that are not there: what must hold of it whatever goes wrong."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

import pytest
from sqlalchemy import func, select

from api.machines.models import Machine, WipeReport
from components.specs.machine import DeploymentKind, MachineState
from lab.metal.fleet.fleet import Fleet, FleetReport, FleetSize
from lab.metal.fleet.oracle import sentences
from lab.metal.fleet.stocking import fill_image_store
from lab.metal.fleet.troubles import TroubleKind, TroublePlan, kinds_of
from tests.fixtures.api import Api
from tests.fixtures.boot_service import BootService

RunFleet = Callable[[TroublePlan, FleetSize], FleetReport]
_ENDS = frozenset({MachineState.AVAILABLE, MachineState.QUARANTINE, MachineState.ACTIVE})


@pytest.fixture
def run_fleet(api: Api, start_boot_service: Callable[..., BootService]) -> RunFleet:
    """Return what runs a fleet against a running API and a running boot service."""
    service = start_boot_service(pxe_requests_per_minute=10_000_000)
    fill_image_store(service.runtime.settings.pxe_image_store)
    database, vault = api.runtime.database, api.runtime.vault
    return lambda plan, size: Fleet(database, vault, api.url, service.url, plan, size).run()


def test_a_fleet_with_many_faults_leaves_no_machine_wrongly_written_or_unwiped(run_fleet: RunFleet) -> None:
    """Half of all installations and removals go wrong; each machine ends wiped, in quarantine, or its customer's."""
    report = run_fleet(TroublePlan(seed=7, rate=0.5), FleetSize(machines=30, rounds=2, at_once=4))
    assert report.wrong == [], sentences(report.wrong)
    assert report.surprises == []
    assert report.looks > 0
    assert set(report.states) <= _ENDS
