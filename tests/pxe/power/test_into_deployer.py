"""A machine's rescue system puts the deployer in its own place: the real kernel, over a VLAN, to the real boot service.

The rescue system is the deployer's own; its SSH server lets in the worker's key. What it is asked to do is what a
server at Hetzner is asked, by the code that asks it there.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncssh
import httpx
import pytest

from api.db.session import Database
from api.machines.models import INSPECTION, Machine
from components.installation.shell import Place, Shell
from components.robot.budget import RequestBudget
from components.robot.client import Robot
from components.specs.machine import BootProfile, DeploymentKind, DeploymentPhase, MachineState
from lab.metal.images import LabImage
from lab.metal.qemu import QemuMachine
from lab.metal.vlan import VlanPort
from pxe.boot.app import create_boot_app
from pxe.boot.listening import listener, server_for
from pxe.deployer import Deployer
from pxe.power.interfaces import RescueSystem, nothing
from pxe.power.provisioning import Provisioning
from pxe.power.robot_start import RescueStart, enter_by_ssh
from pxe.power.timing import Timing
from tests.fakes.boot_server import FakeDeployment
from tests.fixtures.boot_service import BootService, boot_profile, boot_runtime
from tests.fixtures.engine import until
from tests.fixtures.metal import MetalFactory
from tests.fixtures.netboot import BOOT_SECONDS, Netboot, netboot
from tests.fixtures.shop import Shop

VLAN, HERE, THERE = 4001, "10.214.0.1", "10.214.0.10/24"


@dataclass
class Site:
    """A machine, its rescue system, and a boot service in a VLAN that is not that of its rescue system."""

    rescue: Netboot
    service: BootService
    machine: QemuMachine
    row: Machine
    reported: dict[str, Any] = field(default_factory=dict)

    def enter_rescue(self) -> None:
        """Boot the machine into its rescue system, which lets our key in."""
        files = {"authorized_keys": self.rescue.key.export_public_key().decode()}
        told = FakeDeployment("rescue", self.machine.spec.serial, {"user": "root", "after": "reboot"}, files)
        self.rescue.start(self.machine, told)
        self.rescue.boot.wait(lambda: told.phases and told.phases[-1][0] == "first_boot", BOOT_SECONDS)

    def jump(self) -> None:
        """Have it start the deployer, as a worker does."""
        place = Provisioning(self.service.url, self.machine.spec.mac, VLAN, IPv4Interface(THERE))
        with httpx.Client(base_url="http://127.0.0.1:9") as nobody:
            robot = Robot(nobody, RequestBudget(lambda: 0.0))
            start = RescueStart(robot, 1, lambda: place, Timing(), _enter_whoever_it_is)
            system = RescueSystem(self.rescue.rig.network.address(10), frozenset())
            shell = start._entered(system, self.rescue.key, nothing)
            start._load(shell, place)
            start._jump(shell)

    def follow(self, kind: DeploymentKind, profile: BootProfile | None = None) -> None:
        """Open a deployment, jump, and wait until the deployer has done its part."""
        deployment_id = self.service.open(self.row, kind, profile)
        self.jump()
        self.until(lambda: self._is_through(deployment_id))
        deployment = self.service.deployment(deployment_id)
        assert deployment.error_code is None, deployment.error_detail
        self.reported = (deployment.report or {}).get(INSPECTION, {})

    def _is_through(self, deployment_id: UUID) -> bool:
        deployment = self.service.deployment(deployment_id)
        return deployment.phase is DeploymentPhase.REBOOT or deployment.error_code is not None

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something, or fail with what the machine has said."""
        try:
            until(condition, BOOT_SECONDS)
        except AssertionError as error:
            raise AssertionError(self.machine.console()[-4000:]) from error


def _enter_whoever_it_is(place: Place, key: asyncssh.SSHKey) -> Shell:
    """This rescue system makes its host key when somebody comes, and nobody has named it before."""
    return enter_by_ssh(replace(place, host_keys=None), key)


@pytest.fixture
def site(metal_machines: MetalFactory, deployer: Deployer, database: Database, tmp_path: Path) -> Iterator[Site]:
    """It, with one disk."""
    rig = metal_machines((1024,))
    network, machine = rig.network, rig.machines[0]
    with netboot(rig, deployer) as rescue, VlanPort(network, VLAN, f"{HERE}/24"), listener(HERE, 0) as listening:
        url = f"http://{HERE}:{listening.getsockname()[1]}"
        runtime = boot_runtime(database, tmp_path, pxe_url=url)
        runtime = replace(
            runtime, settings=runtime.settings.model_copy(update={"pxe_deployer": deployer.kernel.parent})
        )
        server = server_for(create_boot_app(runtime))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with httpx.Client(base_url=url) as http:
            service = BootService(url, runtime, http)
            row = service.add_machine(
                MachineState.INSPECT,
                serial=machine.spec.serial,
                boot_mac=machine.spec.mac,
                macs=[machine.spec.mac],
                disk_count=1,
                disk_gib=1,
            )
            yield Site(rescue, service, machine, row)
        machine.power_off()
        server.should_exit = True
        thread.join()


def test_the_deployer_runs_in_the_rescue_systems_place(site: Site) -> None:
    """It checks in over the VLAN, reports its hardware, and stays: nobody could switch it on again."""
    site.enter_rescue()
    site.follow(DeploymentKind.INSPECT)
    assert site.reported["serial"] == site.machine.spec.serial
    assert not site.machine.wait_off(3.0)


def test_what_it_installs_boots_by_itself(site: Site, shop: Shop, tiny_images: dict[str, LabImage]) -> None:
    """From the disk, by the firmware's own order; the installed system knows of the VLAN over which it is to call."""
    image = tiny_images["tiny-a"]
    workload_id = shop.workload(shop.place()).id
    site.service.change(lambda session: _rented(session.get_one(Machine, site.row.id), workload_id))
    store = site.service.runtime.settings.pxe_image_store
    shutil.copyfile(image.path, store / "images" / image.image.sha256)
    site.enter_rescue()
    site.follow(DeploymentKind.INSTALL, boot_profile().model_copy(update={"image": image.image, "user": "root"}))
    site.until(lambda: "slipway: tiny-a runs on" in site.machine.console())
    third = f"{VLAN} {site.machine.spec.mac} {THERE}\n".encode()
    assert third in site.machine.disks[0].read_bytes()


def _rented(machine: Machine, workload_id: UUID) -> None:
    machine.state, machine.workload_id = MachineState.DEPLOYING, workload_id
