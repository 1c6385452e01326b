"""dnsmasq's configuration, made of the inventory and read by dnsmasq itself."""

import ipaddress
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from components.specs.machine import MachineState
from pxe.boot.dnsmasq import BootHost, ProvisioningNetwork, render_dnsmasq
from pxe.boot.known import boot_hosts
from tests.fixtures.boot_service import BootService
from tests.fixtures.platform_tools import run

HOST = BootHost("metal-1", "52:54:00:00:00:01", ipaddress.IPv4Address("10.20.0.11"))
OTHER = BootHost("metal-0", "52:54:00:00:00:02", ipaddress.IPv4Address("10.20.0.12"))


def place(**changes: Any) -> ProvisioningNetwork:
    """Return a provisioning network."""
    fields: dict[str, Any] = {
        "interface": "br-pxe",
        "network": ipaddress.IPv4Network("10.20.0.0/24"),
        "base_url": "http://10.20.0.1:8080",
        "tftp_root": PurePosixPath("/srv/tftp"),
        "lease_file": PurePosixPath("/run/leases"),
    }
    return ProvisioningNetwork(**(fields | changes))


def test_known_machines_are_listed_and_strangers_ignored() -> None:
    """No DNS, no lease and no file for whoever is not on the list."""
    lines = render_dnsmasq(place(), [HOST, OTHER]).splitlines()

    assert [line for line in lines if line.startswith("dhcp-host=")] == [
        "dhcp-host=52:54:00:00:00:02,10.20.0.12,metal-0",
        "dhcp-host=52:54:00:00:00:01,10.20.0.11,metal-1",
    ]
    assert {"port=0", "dhcp-ignore=tag:!known", "tftp-secure", "tftp-no-fail"} <= set(lines)
    assert "dhcp-range=10.20.0.0,static,255.255.255.0,1h" in lines


def test_firmware_gets_ipxe_and_ipxe_gets_its_machines_script() -> None:
    """BIOS and UEFI by their architecture; iPXE fills its own MAC address in."""
    boot = [line for line in render_dnsmasq(place(), [HOST]).splitlines() if line.startswith("dhcp-boot=")]

    assert boot == [
        "dhcp-boot=tag:known,tag:!ipxe,tag:arch0,undionly.kpxe",
        "dhcp-boot=tag:known,tag:!ipxe,tag:arch7,ipxe.efi",
        "dhcp-boot=tag:known,tag:!ipxe,tag:arch9,ipxe.efi",
        "dhcp-boot=tag:known,tag:ipxe,http://10.20.0.1:8080/ipxe/${mac:hexhyp}",
    ]


@pytest.mark.parametrize("gateway", [None, ipaddress.IPv4Address("10.20.0.254")])
@pytest.mark.parametrize("hosts", [[], [HOST, OTHER]])
def test_dnsmasq_itself_accepts_it(
    tmp_path: Path, hosts: list[BootHost], gateway: ipaddress.IPv4Address | None
) -> None:
    """By its own check."""
    path = tmp_path / "dnsmasq.conf"
    path.write_text(render_dnsmasq(place(gateway=gateway, tftp_root=PurePosixPath("/tmp")), hosts))  # noqa: S108 - there

    assert "syntax check OK" in run("dnsmasq", "--test", f"--conf-file={path}")


@pytest.mark.parametrize(
    ("changes", "hosts"),
    [
        ({"interface": "eth0\nport=53"}, []),
        ({"tftp_root": PurePosixPath("/srv/a b")}, []),
        ({"lease_file": PurePosixPath("relative")}, []),
        ({"base_url": "http://x/,y"}, []),
        ({"base_url": "https://x"}, []),
        ({}, [BootHost("metal-1\nuser=root", HOST.mac, HOST.address)]),
        ({}, [BootHost("metal-1", "52:54:00:00:00:01,set:known", HOST.address)]),
        ({}, [BootHost("metal-1", "52-54-00-00-00-01", HOST.address)]),
        ({}, [BootHost("metal-1", HOST.mac, ipaddress.IPv4Address("192.0.2.1"))]),
        ({}, [HOST, BootHost("metal-2", HOST.mac, OTHER.address)]),
        ({}, [HOST, BootHost("metal-2", OTHER.mac, HOST.address)]),
    ],
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any], hosts: list[BootHost]) -> None:
    """Before dnsmasq reads it as something else."""
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's is one, with its own words
        render_dnsmasq(place(**changes), hosts)


def test_the_list_is_the_inventory(boot_service: BootService) -> None:
    """All machines with an address for booting, in whatever state; others cannot boot from here."""
    one = boot_service.add_machine(boot_address="10.20.0.11")
    two = boot_service.add_machine(MachineState.QUARANTINE, boot_address="10.20.0.12")
    boot_service.add_machine()

    hosts = boot_service.change(boot_hosts)

    assert {(host.name, host.mac, str(host.address)) for host in hosts} == {
        (one.name, one.boot_mac, "10.20.0.11"),
        (two.name, two.boot_mac, "10.20.0.12"),
    }
