"""What goes wrong on a machine of QEMU: no disk is touched that must not be, and what happened is said."""

from collections.abc import Iterator

import pytest

from lab.metal.images import LabImage
from lab.metal.qemu import QemuMachine
from pxe.deployer import Deployer
from tests.fixtures.metal import MetalFactory
from tests.fixtures.netboot import Netboot, netboot, wait_for_writes

ADDRESS = "192.0.2.8"
_ANOTHER_IMAGE = {"image_sha256": "0" * 64, "image_content_sha256": "0" * 64}
Machines = tuple[Netboot, QemuMachine, dict[str, LabImage]]


@pytest.fixture(scope="module")
def site(metal_machines: MetalFactory, deployer: Deployer) -> Iterator[Netboot]:
    """A machine with a disk that is large enough, and one with a disk that is not."""
    with netboot(metal_machines((256,), (32,)), deployer) as running:
        yield running


@pytest.fixture(scope="module")
def machines(site: Netboot, tiny_images: dict[str, LabImage]) -> Machines:
    """The site, the first machine, and the images."""
    return site, site.rig.machines[0], tiny_images


def test_another_machines_plan_touches_nothing(machines: Machines) -> None:
    """The initrd compares the serial for itself, says what it found, and switches off; the disk's file is as it was."""
    site, large, images = machines
    before = large.disk_sums()
    deployment = site.install(large, images["tiny-a"], ADDRESS)
    deployment.serial = "ANOTHER-1"

    site.finish(large, deployment)

    assert deployment.failure["code"] == "wrong_serial"
    assert deployment.phases[-1][0] == "script"
    assert large.disk_sums() == before


def test_a_spent_token_touches_nothing(machines: Machines) -> None:
    """A machine that is refused at check-in switches off."""
    site, large, images = machines
    before = large.disk_sums()
    deployment = site.install(large, images["tiny-a"], ADDRESS)
    deployment.token_spent = True

    site.finish(large, deployment)

    assert deployment.refused == 1
    assert large.disk_sums() == before


def test_a_disk_that_is_too_small_is_left_alone(machines: Machines) -> None:
    """Said with both sizes, before anything is written."""
    site, _, images = machines
    small = site.rig.machines[1]
    before = small.disk_sums()

    deployment = site.finish(small, site.install(small, images["tiny-a"], ADDRESS))

    assert deployment.failure["code"] == "disk_too_small"
    assert str(32 << 20) in deployment.failure["detail"]
    assert small.disk_sums() == before


@pytest.mark.parametrize(
    ("changes", "cut_after", "code"),
    [(_ANOTHER_IMAGE, 0, "image_checksum"), ({}, 2_000_000, "image_cut_off")],
    ids=["checksum", "cut off"],
)
def test_a_broken_image_is_never_booted(machines: Machines, changes: dict[str, str], cut_after: int, code: str) -> None:
    """The machine says what is wrong with it and switches off."""
    site, large, images = machines
    deployment = site.install(large, images["tiny-a"], ADDRESS, **changes)
    site.boot.cut_after = cut_after
    try:
        site.finish(large, deployment)
    finally:
        site.boot.cut_after = 0

    assert deployment.failure["code"] == code
    assert "reboot" not in {phase for phase, _, _ in deployment.phases}


def test_a_power_cut_while_writing_is_made_good(machines: Machines) -> None:
    """A second attempt over half an image installs the machine."""
    site, large, images = machines
    image = images["tiny-b"]
    site.boot.bytes_a_second = 4_000_000
    site.start(large, site.install(large, image, ADDRESS))
    site.boot.wait(lambda: _phases(site)[-1:] == ["write"], 240)
    wait_for_writes(large, 4096)
    large.power_off()
    site.boot.bytes_a_second = 0

    again = site.start(large, site.install(large, image, ADDRESS))
    site.wait_running(large, again)

    assert site.ssh(ADDRESS, "cat /etc/slipway-image") == "tiny-b\n"


def _phases(site: Netboot) -> list[str]:
    assert site.boot.deployment is not None
    return [phase for phase, _, _ in site.boot.deployment.phases]
