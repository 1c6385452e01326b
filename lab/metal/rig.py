"""Machines, their network and their controller, ready for a test or the demo."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.metal.network import ProvisioningNetwork
from lab.metal.qemu import MachineSpec, QemuMachine
from lab.metal.redfish import RedfishController
from lab.metal.tools import MetalLabError, missing

BMC_USER = "slipway"


@dataclass(frozen=True)
class MetalRig:
    """What ``metal_rig`` gives."""

    network: ProvisioningNetwork
    machines: Sequence[QemuMachine]
    redfish: RedfishController
    folder: Path = field(repr=False)

    def machine(self, serial: str) -> QemuMachine:
        """The machine with this serial number."""
        return next(machine for machine in self.machines if machine.spec.serial == serial)


def default_specs(count: int, disk_mib: Sequence[int] = (1024,)) -> list[MachineSpec]:
    """Machines ``metal-1`` and on, with made-up serials and MACs that no other run has."""
    run = secrets.token_hex(3)
    octets = ":".join(run[start : start + 2] for start in (0, 2, 4))
    return [
        MachineSpec(
            name=f"metal-{number}",
            serial=f"SLW-{run.upper()}-{number}",
            # 52:54:00 is QEMU's; the last octets are this run's, and the number is counted on from there.
            mac=_plus(f"52:54:00:{octets}", number),
            disk_mib=tuple(disk_mib),
        )
        for number in range(1, count + 1)
    ]


@contextmanager
def metal_rig(folder: Path, specs: Sequence[MachineSpec]) -> Iterator[MetalRig]:
    """Machines that are off, on a network without a DHCP server yet, behind one Redfish controller.

    All of it is gone when the block ends; what a killed run left is removed before.

    Raises:
        MetalLabError: this computer cannot run machines; the message says why.
    """
    reason = missing()
    if reason is not None:
        raise MetalLabError(f"no machines here: {reason}")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        network = stack.enter_context(ProvisioningNetwork(folder))
        machines = [QemuMachine(spec, network, folder / spec.name) for spec in specs]
        for machine in machines:
            stack.callback(machine.close)
        redfish = RedfishController(machines, folder, user=BMC_USER, password=secrets.token_urlsafe(12))
        yield MetalRig(network, machines, stack.enter_context(redfish), folder)


def plain_dhcp(rig: MetalRig, base_url: str) -> str:
    """The least dnsmasq configuration: known MACs get an address, and iPXE its script's.

    For tests of the lab and of the deployer; the product generates its own.
    """
    network = rig.network
    hosts = (f"dhcp-host={machine.spec.mac},{network.address(10 + n)}" for n, machine in enumerate(rig.machines))
    return "\n".join(
        [
            "port=0",
            f"interface={network.interface}",
            "bind-interfaces",
            f"dhcp-range={network.address(10)},static,255.255.255.0,1h",
            f"dhcp-option=option:router,{network.host_address}",
            "dhcp-match=set:ipxe,175",
            # iPXE need not wait for a second server's offer (three seconds), nor for a router's advertisement (twelve).
            "dhcp-option=tag:ipxe,encap:175,176,1b",
            "enable-ra",
            f"ra-param={network.interface},10,0",
            f"dhcp-range={network.ipv6_prefix},ra-only,64",
            f"dhcp-boot=tag:ipxe,{base_url}/ipxe/${{mac:hexhyp}}",
            *hosts,
            "",
        ]
    )


def _plus(mac: str, number: int) -> str:
    value = f"{(int(mac.replace(':', ''), 16) + number) % (1 << 48):012x}"
    return ":".join(value[start : start + 2] for start in range(0, 12, 2))
