"""Network boots that go wrong on a machine of QEMU: nobody answers, or there is no end of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from api.alerts.models import AlertKind
from api.machines.models import Machine
from components.specs.machine import DeploymentPhase, MachineState
from lab.metal.qemu import BootDevice
from lab.metal.tools import program
from pxe.deadlines import Deadlines
from pxe.deployer import Deployer
from pxe.deployer.cpio import write_initrd
from pxe.errors import Cancelled, DeploymentFailed, PhaseOverdue
from tests.fixtures.engine import until
from tests.fixtures.metal_site import MetalSite
from tests.fixtures.netboot import BOOT_SECONDS

_RUNS = "slipway: tiny-a runs on"
_CRASHES = "#!/usr/sbin/busybox sh\nexec /usr/sbin/busybox reboot -f\n"


@pytest.mark.parametrize("is_running", [False, True], ids=["no DHCP server", "one that does not know it"])
def test_a_machine_that_gets_no_address_is_given_up(metal_site: MetalSite, is_running: bool) -> None:  # noqa: FBT001 - a case
    """After two tries, in a sentence that names DHCP as the probable cause; then it boots as soon as it is answered."""
    site, network = metal_site, metal_site.rig.network
    site.serve_dhcp(knows=False)
    begun = len(network.dnsmasq_log())
    if is_running:
        site.clock = site.asks_for_an_address().clock()
    else:
        network.stop_dnsmasq()
    site.deadlines = Deadlines.parse("poll=0.1,look=60,power=4")

    with pytest.raises(PhaseOverdue, match=r"did not ask for its boot script for 4 s: probably nobody .* DHCP"):
        site.install()

    assert len(site.machine.powered_at) == 2
    assert not site.machine.is_on
    log = network.dnsmasq_log()[begun:]
    assert ("DHCPDISCOVER" in log, "DHCPOFFER" in log) == (is_running, False)
    assert (site.ends, site.row.state) == ([("failed", "deadline")], MachineState.DEPLOYING)
    assert site.machine.disk_sums() == site.blank

    site.serve_dhcp()
    site.deadlines = Deadlines.parse("poll=0.1")
    asked = site.crossing.gate("script")

    def stop() -> None:
        asked.wait()
        site.is_stopping = True

    with site.meanwhile(stop), pytest.raises(Cancelled):
        site.install()
    asked.open()
    assert [one.boots for one in site.deployments] == [0, 1]


def test_firmware_that_ignores_boot_once_does_not_install_in_a_loop(metal_site: MetalSite) -> None:
    """Sent to its own disk after the installation, each time; once it is a customer's, its boot order is told of."""
    site = metal_site
    site.machine.faults.ignores_boot_once = True

    outputs = site.install()

    assert (site.row.state, outputs["boots_from"]) == (MachineState.ACTIVE, "disk")
    assert [one.boots for one in site.deployments] == [1]
    assert site.crossing.heard.count("script") == 2
    assert "The machine boots from its disk: its installation is there." in site.service.log(site.deployments[0].id)
    assert site.machine.console().count(_RUNS) == 1

    site.machine.set_boot_device(BootDevice.PXE)
    site.machine.reset()
    until(lambda: site.machine.console().count(_RUNS) == 2, BOOT_SECONDS)
    assert site.crossing.heard.count("script") == 3
    assert [subject for subject, _ in site.service.alerts(AlertKind.UNKNOWN_BOOT)] == [str(site.row.id)]
    assert [one.boots for one in site.deployments] == [1]


def test_a_swapped_cable_ends_in_quarantine_with_nothing_written(metal_site: MetalSite) -> None:
    """The card is the right one, and the serial number another machine's: refused at check-in, and no further try."""
    site, serial = metal_site, f"{metal_site.machine.spec.serial}-SWAPPED"
    swapped = update(Machine).where(Machine.id == site.engine.machine.id).values(serial=serial)
    site.service.change(lambda session: session.execute(swapped))

    with pytest.raises(DeploymentFailed, match=r"wrong_machine: .*\(metal/deployment_failed\)$"):
        site.install()

    assert "image" not in site.crossing.heard
    assert (site.row.state, site.machine.is_on) == (MachineState.QUARANTINE, False)
    assert [subject for subject, _ in site.service.alerts(AlertKind.MACHINE_QUARANTINED)] == [str(site.row.id)]
    assert site.machine.disk_sums() == site.blank


def test_an_installer_that_crashes_before_it_reports_ends_as_a_boot_loop(
    start_site: Callable[..., MetalSite], tmp_path: Path, deployer: Deployer
) -> None:
    """Three scripts, and then the own disk; the machine is switched off, and its disk blank."""
    root = tmp_path / "root"
    (root / "usr/sbin").mkdir(parents=True)
    shutil.copy2(program("busybox"), root / "usr/sbin")  # of busybox-static: it needs nothing else
    (root / "init").write_text(_CRASHES)
    (root / "init").chmod(0o755)
    folder = tmp_path / "deployer"
    folder.mkdir()
    write_initrd(root, folder / "initrd")
    shutil.copyfile(deployer.kernel, folder / "kernel")
    site = start_site(folder)
    site.machine.faults.ignores_boot_once = True

    with pytest.raises(DeploymentFailed, match=r"boot_loop: the machine asked for a boot script more than 3 times"):
        site.install()

    assert site.crossing.heard.count("initrd") == 3
    assert site.crossing.heard.count("script") == 4
    (deployment,) = site.deployments
    assert (deployment.boots, deployment.error_code) == (3, "boot_loop")
    assert deployment.phase is DeploymentPhase.SCRIPT
    assert (site.row.state, site.machine.is_on) == (MachineState.DEPLOYING, False)
    assert site.machine.disk_sums() == site.blank
