"""A machine of QEMU with blank disks becomes a system that answers by SSH, and becomes blank again."""

from collections.abc import Callable, Iterator

import pytest

from lab.metal.images import LabImage
from lab.metal.qemu import QemuMachine
from pxe.deployer import Deployer
from tests.fakes.boot_server import FakeDeployment
from tests.fixtures.metal import MetalFactory
from tests.fixtures.netboot import Netboot, netboot, plant

MIB = 1 << 20
ADDRESS = "192.0.2.7"
MARKER = b"a tenant's secret of which nothing may be left"
_OFFSETS = (300 * MIB + 17, 1024 * MIB - 100, 700 * MIB)


@pytest.fixture(scope="module")
def site(metal_machines: MetalFactory, deployer: Deployer) -> Iterator[Netboot]:
    """One machine with one disk, a GiB."""
    with netboot(metal_machines((1024,)), deployer) as running:
        yield running


@pytest.fixture(scope="module")
def machine(site: Netboot) -> QemuMachine:
    """The machine."""
    return site.rig.machines[0]


@pytest.fixture(scope="module")
def installed(site: Netboot, machine: QemuMachine, tiny_images: dict[str, LabImage]) -> FakeDeployment:
    """It, installed from nothing with the first image."""
    deployment = site.start(machine, site.install(machine, tiny_images["tiny-a"], ADDRESS))
    site.wait_running(machine, deployment)
    return deployment


def test_it_tells_each_phase_in_order(
    installed: FakeDeployment, machine: QemuMachine, record_property: Callable[[str, object], None]
) -> None:
    """From the script to the first boot; how long each took is in the test's report."""
    order = list(dict.fromkeys(phase for phase, _, _ in installed.phases))
    began = machine.powered_at[-1]
    for phase, _, at in installed.phases:
        record_property(phase, round(at - began, 1))

    assert order == ["script", "inspect", "write", "verify", "configure", "reboot", "first_boot"]


def test_it_shows_its_hardware(installed: FakeDeployment, machine: QemuMachine) -> None:
    """Serial, cards and disks as QEMU was told to make them."""
    assert installed.facts["serial"] == machine.spec.serial
    assert [card["mac"] for card in installed.facts["nics"]] == [machine.spec.mac]
    assert [(disk["name"], disk["size_bytes"]) for disk in installed.facts["disks"]] == [("vda", 1024 * MIB)]


def test_the_customers_key_opens_it(site: Netboot, installed: FakeDeployment) -> None:
    """By SSH at its static address; name, keys and network lie where the image looks for them."""
    said = site.ssh(
        ADDRESS,
        "hostname; cat /etc/slipway-image; stat -c '%a %U' /root/.ssh /root/.ssh/authorized_keys; cat /etc/resolv.conf",
    )

    assert installed.running == {"hostname": "metal-1.example.org"}
    assert said.splitlines() == [
        "metal-1.example.org",
        "tiny-a",
        "700 root",
        "600 root",
        f"nameserver {site.rig.network.host_address}",
    ]


@pytest.mark.usefixtures("installed")
def test_the_system_has_the_whole_disk(site: Netboot) -> None:
    """The partition of 47 MiB and its file system were grown."""
    blocks = site.ssh(ADDRESS, "df -m / | tail -n 1").split()[1]

    assert int(blocks) > 900


@pytest.mark.usefixtures("installed")
def test_the_callback_is_gone(site: Netboot) -> None:
    """Its token is spent and deleted."""
    assert site.ssh(ADDRESS, "until [ ! -e /etc/slipway/callback ]; do sleep 1; done; ls /etc/slipway") == ""


def test_a_tenants_data_is_wiped(site: Netboot, machine: QemuMachine, installed: FakeDeployment) -> None:
    """What was planted anywhere on the disk is not in its file any more, and the report proves it by its signature."""
    del installed
    machine.power_off()
    for offset in _OFFSETS:
        plant(machine.disks[0], offset, MARKER)

    wipe = site.finish(machine, FakeDeployment("wipe", machine.spec.serial, {"disks": "vda", "after": "poweroff"}))

    content = machine.disks[0].read_bytes()
    assert MARKER not in content
    assert content.count(0) == len(content)
    assert wipe.report_is_signed
    (disk,) = wipe.document()["disks"]
    assert (disk["name"], disk["size_bytes"], disk["nonzero_samples"]) == ("vda", 1024 * MIB, 0)
    assert disk["method"] in {"discard", "overwrite"}
    assert disk["samples"] >= 64
