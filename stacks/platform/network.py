"""The network stack: the first of an estate, on which all others stand."""

from collections.abc import Iterator
from typing import Any

import pulumi

from components.network.vswitch import VSwitch
from components.platform.cloud_project import CloudProject
from components.platform.firewalls import Access
from components.platform.network import CloudNetwork
from components.platform.public_addresses import PublicAddresses
from components.specs.platform import PlatformKind
from components.specs.platform.network import CLOUD_MTU, VXLAN_OVERHEAD, NetworkSpec
from components.specs.platform.report import NetworkKind, NetworkReport
from stacks.platform.program import Declared, Estate


class NetworkProgram:
    """Declares the estate's networks, firewalls and addresses.

    Args:
        spec: the address plan.
        estate: whose they are.
        project: what is there already; None asks Hetzner.
    """

    def __init__(self, spec: NetworkSpec, estate: Estate, project: CloudProject | None = None) -> None:
        self._spec, self._estate, self._project = spec, estate, project

    def declare(self) -> Declared:
        """Declare everything, and export what the other stacks stand on."""
        spec, name = self._spec, self._estate.name
        labels = {**self._estate.labels, "stack": PlatformKind.NETWORK.value}
        project = self._project or CloudProject.of_environment(labels)
        vswitches = {
            item.name: VSwitch(item.name, name=item.name, vlan=item.vlan, servers=item.servers)
            for item in spec.vswitches
        }
        # The resource's own id, which is known while a change is planned: an unknown number would replace the subnet.
        ids = {label: vswitch.id.apply(int) for label, vswitch in vswitches.items()}
        network = CloudNetwork(name, spec.network, project=project, vswitch_ids=ids)
        access = Access(name, firewalls=spec.firewalls, ssh_keys=spec.ssh_keys, project=project)
        addresses = PublicAddresses(
            name,
            primary=spec.primary_ips,
            floating=spec.floating_ips,
            project=project,
        )
        plan = {
            "network_id": network.network_id,
            "subnets": {
                item.name: {"id": network.subnet_ids[item.name], "cidr": str(item.cidr)}
                for item in spec.network.subnets
            },
            "vswitches": {
                item.name: {"id": ids[item.name], "vlan": item.vlan, "mtu": item.mtu} for item in spec.vswitches
            },
            "private_lans": [item.model_dump(mode="json") for item in spec.private_lans],
            "vpn": spec.vpn.model_dump(mode="json") if spec.vpn is not None else None,
        }
        return Declared(
            outputs={**plan, **_entrances(access, addresses)},
            report=_report(spec),
            resources=[*vswitches.values(), *network.resources, *access.resources, *addresses.resources],
        )


def _entrances(access: Access, addresses: PublicAddresses) -> dict[str, pulumi.Input[Any]]:
    """What is at the border."""
    return {
        "firewalls": dict(access.firewall_ids),
        "ssh_keys": list(access.ssh_key_ids),
        "primary_ips": {label: {"id": ip.id, "address": ip.ip_address} for label, ip in addresses.primary.items()},
        "floating_ips": {label: {"id": ip.id, "address": ip.ip_address} for label, ip in addresses.floating.items()},
    }


def _report(spec: NetworkSpec) -> dict[str, Any]:
    """What Inventory is told: the plan itself, for nothing of it is decided by Hetzner."""
    return {
        "sites": [site.model_dump(mode="json") for site in spec.sites],
        "address_pools": [pool.model_dump(mode="json") for pool in spec.address_pools],
        "networks": [network.model_dump(mode="json") for network in networks(spec)],
    }


def networks(spec: NetworkSpec) -> Iterator[NetworkReport]:
    """The networks of a plan. A subnet that joins a vSwitch is that vSwitch's own line."""
    joined = {subnet.vswitch: subnet.cidr for subnet in spec.network.subnets if subnet.vswitch is not None}
    for subnet in spec.network.subnets:
        if subnet.vswitch is None:
            yield NetworkReport(name=subnet.name, kind=NetworkKind.CLOUD, cidr=subnet.cidr, mtu=CLOUD_MTU)
    for vswitch in spec.vswitches:
        yield NetworkReport(
            name=vswitch.name,
            kind=NetworkKind.VSWITCH,
            cidr=joined.get(vswitch.name),
            tag=vswitch.vlan,
            mtu=vswitch.mtu,
        )
    carriers = {vswitch.name: vswitch.mtu for vswitch in spec.vswitches}
    for lan in spec.private_lans:
        mtu = carriers[lan.vswitch] - VXLAN_OVERHEAD
        yield NetworkReport(name=lan.name, kind=NetworkKind.VXLAN, cidr=lan.cidr, tag=lan.tag, mtu=mtu)
