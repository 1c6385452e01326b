"""Machines, their network and their controller, ready for a test or the demo."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path, PurePosixPath

from lab.metal.network import ProvisioningNetwork
from lab.metal.qemu import MachineSpec, QemuMachine
from lab.metal.redfish import RedfishController
from lab.metal.tools import MetalLabError, missing
from pxe.boot.dnsmasq import BootHost, render_dnsmasq
from pxe.boot.dnsmasq import ProvisioningNetwork as ProvisioningSite

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
    """The product's own dnsmasq configuration for a rig's machines, without an inventory behind it."""
    network = rig.network
    place = ProvisioningSite(
        interface=network.interface,
        network=network.subnet,
        base_url=base_url,
        tftp_root=PurePosixPath("/usr/lib/ipxe"),
        lease_file=PurePosixPath(rig.folder / "leases"),
        gateway=IPv4Address(network.host_address),
        ipv6_prefix=IPv6Network((network.ipv6_prefix, 64)),
    )
    return render_dnsmasq(
        place,
        [
            BootHost(machine.spec.name, machine.spec.mac, IPv4Address(network.address(10 + number)))
            for number, machine in enumerate(rig.machines)
        ],
    )


def _plus(mac: str, number: int) -> str:
    value = f"{(int(mac.replace(':', ''), 16) + number) % (1 << 48):012x}"
    return ":".join(value[start : start + 2] for start in range(0, 12, 2))
