"""A pool's server at Robot in the hands of a worker: what is recorded of it is enough to inspect and wipe it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
import httpx
import pytest
import tenacity

from api.machines.bmc import BmcAccess
from api.machines.models import BmcDriver
from api.vault import Vault, generate_key
from automation.metal.drivers import BmcDrivers
from automation.metal.passwords import settings_of
from automation.metal.power import PowerFailed, PowerVerb
from automation.operations.environment import with_boot_service
from components.installation.shell import Place, Shell
from components.robot.budget import RequestBudget
from components.robot.client import Robot
from pxe.power.driver import Driver
from pxe.power.provisioning import Provisioning
from pxe.power.robot_driver import robot_driver
from pxe.power.robot_start import enter_by_ssh
from pxe.power.settings import BmcSettings
from tests.fixtures.bmc_rigs import BRISK
from tests.fixtures.runner import worker_settings

if TYPE_CHECKING:
    from lab.client import RunningLab

NUMBER = 321_001


@dataclass
class Pool:
    """A server, what is recorded of it, and a worker's way to it."""

    lab: "RunningLab"
    access: BmcAccess
    drivers: BmcDrivers

    def runs(self, what: str) -> None:
        """Wait until the server runs something."""
        for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.05)):
            with attempt:
                assert self.lab.faults.robot.machines()[NUMBER]["runs"] == what


@pytest.fixture
def pool(lab: "RunningLab", tmp_path: Path) -> Iterator[Pool]:
    """It, with a provisioning vSwitch, and workers that know where the boot service is."""
    section, vault = lab.document.robot, Vault(generate_key())
    settings = worker_settings(tmp_path, pxe_url="http://10.20.0.1:8080", pxe_network="10.20.0.0/24")
    port = lab.document.rescue.ports[lab.faults.robot.machines()[NUMBER]["name"]]
    access = BmcAccess(
        machine="metal-1",
        driver=BmcDriver.ROBOT,
        address=section.base_url,
        system=str(NUMBER),
        user=section.login,
        verify_tls=True,
        password_encrypted=vault.seal(section.password),
        boot_mac="52:54:00:00:00:01",
        boot_address="10.20.0.10",
        vlan=4001,
    )

    def enter(place: Place, key: asyncssh.SSHKey) -> Shell:
        return enter_by_ssh(replace(place, host="127.0.0.1", port=port), key)

    with httpx.Client(base_url=section.base_url, auth=(section.login, section.password), timeout=30) as http:
        http.post("/vswitch", data={"name": "provisioning", "vlan": "4001"}).raise_for_status()

        def connect(bmc: BmcSettings) -> Driver:
            robot = Robot(http, RequestBudget(lambda: 0.0), lambda _seconds: None)
            place = partial(Provisioning.of, with_boot_service(bmc, settings))
            return robot_driver(robot, int(bmc.system), BRISK, place=place, enter=enter)

        yield Pool(lab, access, BmcDrivers(lambda known: settings_of(known, vault), connect))


def test_it_is_started_for_an_inspection_and_for_a_wipe(pool: Pool) -> None:
    """One after the other; in between and afterwards it stays in the deployer, with nothing else to boot."""
    for _ in range(2):
        pool.drivers.open(pool.access).boot_from_network()
        pool.runs("deployer")
        pool.drivers.open(pool.access).leave_clean()
        pool.runs("deployer")
    told = pool.lab.faults.robot.machines()[NUMBER]["deployer"]
    assert told == ["52:54:00:00:00:01", "4001", "10.20.0.10/24", "http://10.20.0.1:8080"]


def test_what_the_inventory_lacks_is_named_before_anything_is_reset(pool: Pool) -> None:
    """A person adds it; waiting does not help."""
    bare = replace(pool.access, vlan=None, boot_address=None)
    with pytest.raises(PowerFailed, match="tell the machine's VLAN, the machine's boot address") as failed:
        pool.drivers.open(bare).boot_from_network()
    assert not failed.value.is_retryable
    assert not any(path.startswith("/reset") and method == "POST" for method, path, _ in _requests(pool))


def _requests(pool: Pool) -> list[tuple[str, str, bool]]:
    return pool.lab.faults.robot.requests()


def test_staffs_cycle_is_a_reset_and_off_is_refused(pool: Pool) -> None:
    """With what the server has instead."""
    power = pool.drivers.open(pool.access)
    power.boot_from_network()
    pool.runs("deployer")
    power.do(PowerVerb.CYCLE)
    pool.runs("disk")
    with pytest.raises(PowerFailed, match="has no power button at Robot"):
        power.do(PowerVerb.OFF)
