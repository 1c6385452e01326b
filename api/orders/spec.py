"""Turns an order and what was reserved for it into the workload's spec. Pure."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.ipam.service import HeldAddresses
from api.templates.definition import TemplateDefinition
from components.specs import (
    BareMetalSpec,
    BotSpec,
    CloudVmSpec,
    DnsSpec,
    GameServerSpec,
    Ipv4Spec,
    Ipv6Spec,
    NetworkSpec,
    Placement,
    Resources,
    WorkloadKind,
    WorkloadSpec,
    mac_address,
)
from components.specs.machine import DiskLayout, MachineNetwork, MachineRef

_HOST_PREFIX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was held for a workload before its engine starts, wherever it will be."""

    workload_id: UUID
    order_id: UUID
    hostname: str
    addresses: HeldAddresses
    nameservers: Sequence[str]
    zone_id: str
    zone_name: str
    dns_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation(Held):
    """Everything that was held for a guest of a node."""

    node: str
    vmid: int
    storage: str
    bridge: str
    template_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineReservation(Held):
    """Everything that was held for a machine of its own."""

    machine: MachineRef
    layout: DiskLayout


def dns_label(name: str, workload_id: UUID) -> str:
    """Return the workload's DNS label: its name and eight digits of its id.

    The digits make labels unique among customers and keep names such as ``www`` or ``admin`` out of reach.
    """
    return f"{name}-{workload_id.hex[-8:]}"


def build_spec(
    held: Reservation, resources: Resources, template: TemplateDefinition, ssh_keys: tuple[str, ...]
) -> WorkloadSpec:
    """Build the spec of a new guest."""
    common = {
        **_common(held, resources, ssh_keys),
        "placement": Placement(node=held.node, vmid=held.vmid, storage=held.storage),
        "network": _network(held, template),
    }
    if template.kind is WorkloadKind.CLOUD_VM:
        return CloudVmSpec.model_validate({**common, "template_vmid": int(held.template_source), "user": template.user})
    container = {
        **common,
        "template_volume": held.template_source,
        "start_command": template.command_for(resources.memory_mib),
        "environment": template.environment,
    }
    if template.kind is WorkloadKind.GAME_SERVER:
        return GameServerSpec.model_validate({**container, "game": template.game})
    return BotSpec.model_validate(container)


def build_machine_spec(
    held: MachineReservation, resources: Resources, template: TemplateDefinition, ssh_keys: tuple[str, ...]
) -> BareMetalSpec:
    """Build the spec of a new workload that has a machine of its own."""
    return BareMetalSpec.model_validate(
        {
            **_common(held, resources, ssh_keys),
            "machine": held.machine,
            "image": template.machine_image,
            "layout": held.layout,
            "user": template.user,
            "network": MachineNetwork(
                ipv4=_ipv4(held.addresses),
                ipv6=_ipv6(held.addresses),
                nameservers=tuple(ipaddress.ip_address(server) for server in held.nameservers),
            ),
        }
    )


def _common(held: Held, resources: Resources, ssh_keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        "workload_id": held.workload_id,
        "order_id": held.order_id,
        "hostname": held.hostname,
        "resources": resources,
        "dns": DnsSpec(zone_id=held.zone_id, zone_name=held.zone_name, label=held.dns_label),
        "ssh_keys": ssh_keys,
    }


def _network(held: Reservation, template: TemplateDefinition) -> NetworkSpec:
    return NetworkSpec(
        bridge=held.bridge,
        mac=mac_address(held.vmid),
        ipv4=_ipv4(held.addresses),
        ipv6=_ipv6(held.addresses),
        open_ports=template.ports,
        nameservers=tuple(ipaddress.ip_address(server) for server in held.nameservers),
    )


def _ipv4(addresses: HeldAddresses) -> Ipv4Spec:
    """A routed /32, because a vSwitch port learns 32 MAC addresses only."""
    return Ipv4Spec(address=addresses.ipv4, prefix_length=_HOST_PREFIX, gateway=addresses.ipv4_gateway)


def _ipv6(addresses: HeldAddresses) -> Ipv6Spec:
    """The first address of a /64 of its own."""
    return Ipv6Spec(
        network=addresses.ipv6,
        address=ipaddress.IPv6Address(int(addresses.ipv6.network_address) + 1),
        gateway=addresses.ipv6_gateway,
    )
