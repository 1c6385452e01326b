"""A system on two mirrored disks, and the rescue system that leaves them alone."""

import hashlib
from collections.abc import Iterator

import pytest

from lab.metal.images import LabImage
from lab.metal.qemu import QemuMachine
from pxe.deployer import Deployer
from tests.fakes.boot_server import FakeDeployment
from tests.fixtures.metal import MetalFactory
from tests.fixtures.netboot import BOOT_SECONDS, Netboot, netboot

ADDRESS = "192.0.2.9"


@pytest.fixture(scope="module")
def site(metal_machines: MetalFactory, deployer: Deployer) -> Iterator[Netboot]:
    """A machine with two disks of one size."""
    with netboot(metal_machines((256, 256)), deployer) as running:
        yield running


@pytest.fixture(scope="module")
def machine(site: Netboot, tiny_images: dict[str, LabImage]) -> QemuMachine:
    """It, installed on both."""
    machine = site.rig.machines[0]
    deployment = site.install(machine, tiny_images["tiny-a"], ADDRESS, layout="raid1", disks="vda,vdb")
    site.wait_running(machine, site.start(machine, deployment))
    return machine


@pytest.mark.usefixtures("machine")
def test_the_system_runs_from_both_disks(site: Netboot) -> None:
    """The root file system is on a mirror of two, and fills it."""
    said = site.ssh(ADDRESS, "cat /proc/mdstat; mount | grep ' / '; df -m / | tail -n 1")

    assert "raid1" in said
    assert "[2/2] [UU]" in said
    assert "/dev/md0p1 on /" in said
    assert int(said.splitlines()[-1].split()[1]) > 200


def test_each_disk_can_be_booted_from(machine: QemuMachine) -> None:
    """Both begin with the same boot loader and partition table: the metadata lies at their ends."""
    begins = [disk.open("rb") for disk in machine.disks]
    sums = {hashlib.sha256(disk.read(1 << 20)).hexdigest() for disk in begins}
    for disk in begins:
        disk.close()

    assert len(sums) == 1


def test_rescue_opens_to_the_customers_key_and_leaves_the_disks(site: Netboot, machine: QemuMachine) -> None:
    """A system in memory answers by SSH; the disks' files are as they were."""
    machine.power_off()
    before = machine.disk_sums()
    files = {"authorized_keys": site.key.export_public_key().decode()}
    rescue = FakeDeployment("rescue", machine.spec.serial, {"user": "root", "after": "reboot"}, files)

    site.start(machine, rescue)
    site.boot.wait(lambda: rescue.phases and rescue.phases[-1][0] == "first_boot", BOOT_SECONDS)
    said = site.ssh(site.rig.network.address(10), "cat /proc/mounts; ls /dev/vda")
    machine.power_off()

    assert "/dev/vd" not in said.replace("/dev/vda\n", "")
    assert machine.disk_sums() == before
