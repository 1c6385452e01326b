"""Debian's own installer puts Debian on a machine of QEMU with a blank disk, by our preseed file and from a mirror.

It is slow without hardware virtualisation: `--installer=end` lets it come to its end (see tests/fixtures/options.py).
"""

import json
import subprocess
from collections.abc import Callable

import pytest

from api.machines.models import DeploymentStatus
from components.specs.machine import DeploymentPhase, MachineState
from lab.metal.tools import program
from tests.fixtures.debian_installer import InstallerSite, NewSite
from tests.fixtures.netboot import sectors_written
from tests.fixtures.options import INSTALLER

# On an idle computer the disk is ready in minutes; beside other machines it took eight. The end may be an hour off.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3900)]

_P = DeploymentPhase
_DISK_SECONDS, _END_SECONDS = 900.0, 3600.0
_OFF_SECONDS = 600.0
_BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
"""GPT's names for partitions (UEFI specification, table 5.7; the first is GRUB's)."""

_EXPECTED = {
    "hostname": "iron",
    "getent hosts iron | tr -s ' '": "127.0.1.1 iron",
    "cut -d . -f 1 /etc/debian_version": "13",
    "passwd --status root | cut -d ' ' -f 2": "L",
    "stat -c '%a %U' /root/.ssh /root/.ssh/authorized_keys": "700 root\n600 root",
    "until [ ! -e /etc/slipway/callback ]; do sleep 1; done; ls -A /etc/slipway": "",
    "systemctl is-enabled ssh": "enabled",
    "dpkg --get-selections | grep -c popularity-contest || true": "0",
}


def recorded(site: InstallerSite, record_property: Callable[[str, object], None]) -> None:
    """Put how long it took to each line into the test's report."""
    for line, seconds in site.seconds().items():
        record_property(line, seconds)


def partition_types(site: InstallerSite) -> list[str]:
    """Return what the disk's partitions are for, as `sfdisk` reads it from the file behind the disk."""
    said = subprocess.run(
        [program("sfdisk"), "--json", str(site.machine.disks[0])], capture_output=True, check=True, timeout=30
    ).stdout
    table = json.loads(said)["partitiontable"]
    assert table["label"] == "gpt"
    return [partition["type"] for partition in table["partitions"]]


def test_debians_installer_installs_a_machine(
    new_installer_site: NewSite, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    """It fetches its file, shows its serial number before it touches the disk, and tells each step."""
    site = new_installer_site()
    site.power_on()

    site.wait_for(_P.INSPECT, seconds=_DISK_SECONDS)
    assert sectors_written(site.machine) == 0
    if not site.has_packages:
        recorded(site, record_property)
        pytest.skip("DEBIAN WAS NOT INSTALLED: no mirror answers; its installer got as far as 'inspect'")

    site.wait_for(_P.WRITE, "the base system", seconds=_DISK_SECONDS)
    # The middle one is UEFI's, which an installer that was started by a BIOS does not mark as such.
    assert partition_types(site) == [_BIOS_BOOT, _LINUX, _LINUX]
    assert site.service.machine(site.row).state is MachineState.DEPLOYING
    if pytestconfig.getoption(INSTALLER) == "disk":
        recorded(site, record_property)
        return

    site.wait_for(_P.FIRST_BOOT, seconds=_END_SECONDS)
    recorded(site, record_property)
    told = list(dict.fromkeys(phase for phase, _, _ in site.service.phases(site.deployment_id)))
    assert told == [_P.SCRIPT, _P.INSPECT, _P.WRITE, _P.CONFIGURE, _P.REBOOT, _P.FIRST_BOOT]
    check_installed(site)


def check_installed(site: InstallerSite) -> None:
    """The customer's key opens it; name, address and accounts are as ordered; the callback is spent."""
    said = {question: site.ssh(question).strip() for question in _EXPECTED}

    assert said == _EXPECTED
    assert f"{site.address}/32" in site.ssh("ip -4 -brief address show scope global")


def test_an_installer_on_another_machine_switches_it_off(new_installer_site: NewSite) -> None:
    """The machine answers to the MAC address and has another serial number: not a byte of its disk is touched."""
    site = new_installer_site(serial="SN-OTHER")
    site.power_on()

    assert site.machine.wait_off(_OFF_SECONDS), site.machine.console()[-3000:]
    assert sectors_written(site.machine) == 0
    assert site.deployment.status is DeploymentStatus.FAILED
    assert site.deployment.error_code == "wrong_machine"
    assert site.service.machine(site.row).state is MachineState.QUARANTINE
