"""A machine whose firmware is UEFI: where the installed system is noted, and what is tried first."""

from collections.abc import Iterator

import pytest

from components.specs.machine_facts import Firmware
from lab.metal.images import ensure_uefi_image
from lab.metal.qemu import BootDevice, QemuMachine
from lab.metal.uefi import boot_variables
from pxe.deployer import Deployer
from tests.fakes.boot_server import FakeDeployment
from tests.fixtures.engine import until
from tests.fixtures.metal import MetalFactory
from tests.fixtures.netboot import BOOT_SECONDS, Netboot, netboot

ADDRESS = "192.0.2.9"
_NEXT = "Start HTTP Boot"
_ENTRY = "Slipway vda".encode("utf-16-le")


@pytest.fixture(scope="module")
def site(metal_machines: MetalFactory, deployer: Deployer) -> Iterator[Netboot]:
    """One machine with a blank disk; with nothing on it, its firmware tries the network."""
    with netboot(metal_machines((256,), firmware=Firmware.UEFI), deployer) as running:
        yield running


@pytest.fixture(scope="module")
def machine(site: Netboot) -> QemuMachine:
    """The machine."""
    return site.rig.machines[0]


@pytest.fixture(scope="module")
def installed(site: Netboot, machine: QemuMachine) -> FakeDeployment:
    """It, installed."""
    deployment = site.boot.deploy(site.install(machine, ensure_uefi_image(), ADDRESS))
    machine.power_on()
    site.wait_running(machine, deployment)
    return deployment


def test_the_installed_system_is_first_in_the_boot_order(
    site: Netboot, machine: QemuMachine, installed: FakeDeployment
) -> None:
    """By an entry of ours in the firmware's memory: it was restarted from inside, and did not ask the network again."""
    assert installed.facts["firmware"] == "uefi"
    assert len(site.boot.scripts) == 1
    assert site.ssh(ADDRESS, "ls -d /sys/firmware/efi").strip() == "/sys/firmware/efi"
    assert _ENTRY in boot_variables(machine.folder)


def test_the_system_has_the_whole_disk(site: Netboot, installed: FakeDeployment) -> None:
    """Also where its table has a second copy at the end of the image."""
    assert installed.running
    size_kib = int(site.ssh(ADDRESS, "df -k / | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2"))
    assert size_kib > 200 * 1024


def test_one_that_tries_the_network_first_goes_on(
    site: Netboot, machine: QemuMachine, installed: FakeDeployment
) -> None:
    """The boot service's script ends with an error, so the firmware takes the next of its boot order.

    After a success it would stay in its own menu (UEFI specification, 3.1.1). Before its disk this firmware waits two
    minutes for a boot server of the HTTP kind: that it begins to is enough here.
    """
    assert installed.running
    told = len(machine.console())
    machine.power_off()
    machine.set_boot_device(BootDevice.PXE)
    machine.power_on()
    until(lambda: _NEXT in machine.console()[told:], seconds=BOOT_SECONDS)
    assert len(site.boot.scripts) > 1
