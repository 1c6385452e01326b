"""One node's interfaces, and its end of the customers' private LANs."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_proxmoxve import sdn
from pulumi_proxmoxve.network import linux

from components.platform.node_things import NodeThings
from components.specs.platform.node_network import (
    BridgeSpec,
    NodeNetworkSpec,
    PrivateLan,
    PrivateNetworkSpec,
    VSwitchLink,
    check_lans,
    overlay_mtu,
    vnet_name,
)

RELOAD_SECONDS = 100
"""How long a node may take to reload its interfaces: the provider's own default."""


@dataclass(frozen=True, slots=True)
class VSwitch:
    """The vSwitch that a node is on."""

    vlan: pulumi.Input[int]
    mtu: pulumi.Input[int]


@dataclass(frozen=True, slots=True)
class Lan:
    """A private LAN; ``name`` alone has to be known before anything is made."""

    name: str
    tag: pulumi.Input[int]
    cidr: pulumi.Input[str]


@dataclass(frozen=True, slots=True)
class PrivateNetwork:
    """The network between all nodes, with the private LANs that it carries.

    Attributes:
        peers: every node's address in it, by name of the node: a node finds itself among them.
    """

    spec: PrivateNetworkSpec
    vswitch: VSwitch
    lans: Sequence[Lan]
    peers: Mapping[str, ipaddress.IPv4Address]


def vswitch_of(vswitches: pulumi.Input[Mapping[str, Any]], name: str) -> VSwitch:
    """Return the vSwitch of this name from the network stack's output ``vswitches``."""
    link = pulumi.Output.from_input(vswitches).apply(lambda found: _link(found, name))
    return VSwitch(link.apply(lambda it: it.vlan), link.apply(lambda it: it.mtu))


def lans_of(private_lans: pulumi.Input[Sequence[Mapping[str, Any]]], spec: PrivateNetworkSpec) -> tuple[Lan, ...]:
    """Return the LANs that a spec names from the network stack's output ``private_lans``."""
    chosen = pulumi.Output.from_input(private_lans).apply(lambda found: _chosen(found, spec))
    return tuple(
        Lan(
            name,
            chosen.apply(lambda lans, name=name: lans[name].tag),  # type: ignore[misc] # bound now, not later
            chosen.apply(lambda lans, name=name: str(lans[name].cidr)),  # type: ignore[misc] # as above
        )
        for name in spec.lans
    )


def _link(vswitches: Mapping[str, Any], name: str) -> VSwitchLink:
    if name not in vswitches:
        raise pulumi.RunError(f"vswitch: the network stack has no '{name}'; it has: {', '.join(sorted(vswitches))}")
    found = vswitches[name]
    return VSwitchLink(vlan=int(found["vlan"]), mtu=int(found["mtu"]))


def _chosen(private_lans: Sequence[Mapping[str, Any]], spec: PrivateNetworkSpec) -> dict[str, PrivateLan]:
    carried = {item["name"]: item for item in private_lans if item["vswitch"] == spec.vswitch}
    unknown = [name for name in spec.lans if name not in carried]
    if unknown:
        there = ", ".join(sorted(carried)) or "none"
        raise pulumi.RunError(
            f"lans: the network stack has no {', '.join(unknown)} on the vSwitch '{spec.vswitch}'; it has: {there}"
        )
    lans = {
        name: PrivateLan(name=name, tag=int(carried[name]["tag"]), cidr=carried[name]["cidr"]) for name in spec.lans
    }
    try:
        check_lans(lans.values())
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None
    return lans


class NodeNetwork(pulumi.ComponentResource):
    """A VLAN interface on the vSwitch, bridges, and an SDN zone with a vnet for each private LAN.

    ``opts`` has to bring the node's own provider. What is written of software-defined networks only runs once it is
    applied, and what is removed is only gone then. So there are two appliers: one is made after all vnets and applies
    at its creation, the other before all of them and applies at its deletion, which comes after theirs. Both are
    replaced whenever anything between them changes.

    ``there`` is what the node has already. The provider forgets an interface that it has made if the reload fails, and
    cannot make it a second time: what is found is taken over, which the engine ignores for what it knows.
    """

    vnets: Mapping[str, pulumi.Output[str]]
    """The bridge of each private LAN on this node, by the LAN's name."""
    made: Sequence[pulumi.Resource]
    """What has to be there before a guest may be plugged in."""

    def __init__(
        self,
        node: str,
        spec: NodeNetworkSpec,
        *,
        private: PrivateNetwork | None = None,
        there: NodeThings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:NodeNetwork", node, None, opts)
        self._node, self._there = node, there
        uplink = [self._vlan(spec, private)] if private is not None else []
        links = [*uplink, *(self._bridge(bridge, after=uplink) for bridge in spec.bridges)]
        self.made = links
        self.vnets = self._private_lans(private, links) if private is not None and private.lans else {}
        self.register_outputs({"vnets": dict(self.vnets)})

    def _options(self, *depends_on: pulumi.Resource, **more: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on), **more)

    def _vlan(self, spec: NodeNetworkSpec, private: PrivateNetwork) -> linux.Vlan:
        """The node's own interface on the vSwitch: the only MAC address of this node that the switch learns there."""
        address = private.spec.address_of(private.peers[self._node])
        found = [
            name
            for name, at in self._there.interfaces().items()
            if name.startswith(f"{spec.uplink}.") and at == address
        ]
        return linux.Vlan(
            f"{self._node}-vswitch",
            node_name=self._node,
            name=pulumi.Output.concat(spec.uplink, ".", pulumi.Output.from_input(private.vswitch.vlan).apply(str)),
            address=address,
            mtu=private.vswitch.mtu,
            comment="vSwitch between the nodes",
            timeout_reload=RELOAD_SECONDS,
            opts=self._options(import_=f"{self._node}:{found[0]}" if found else None),
        )

    def _bridge(self, bridge: BridgeSpec, *, after: Sequence[pulumi.Resource]) -> linux.Bridge:
        is_there = bridge.adopted or bridge.name in self._there.interfaces()
        taken_over = {"import_": f"{self._node}:{bridge.name}"} if is_there else {}
        return linux.Bridge(
            f"{self._node}-{bridge.name}",
            node_name=self._node,
            name=bridge.name,
            ports=list(bridge.ports) or None,
            address=str(bridge.address) if bridge.address is not None else None,
            gateway=str(bridge.gateway) if bridge.gateway is not None else None,
            mtu=bridge.mtu,
            vlan_aware=bridge.vlan_aware,
            comment=bridge.comment,
            timeout_reload=RELOAD_SECONDS,
            opts=self._options(*([] if bridge.adopted else after), retain_on_delete=bridge.adopted, **taken_over),
        )

    def _private_lans(self, private: PrivateNetwork, links: Sequence[pulumi.Resource]) -> dict[str, pulumi.Output[str]]:
        wanted, peers = private.spec, private.spec.peers(private.peers.values())
        mtu = pulumi.Output.from_input(private.vswitch.mtu).apply(lambda most: overlay_mtu(most, wanted.mtu))
        everything = pulumi.Output.json_dumps(
            [wanted.zone, mtu, peers, [[lan.name, lan.tag, lan.cidr] for lan in private.lans]]
        )
        last = sdn.Applier(
            f"{self._node}-unapplied",
            on_create=False,
            on_destroy=True,
            opts=self._options(replacement_trigger=everything),
        )
        zone = sdn.zone.Vxlan(
            f"{self._node}-{wanted.zone}",
            resource_id=wanted.zone,
            peers=peers,
            mtu=mtu,
            opts=self._there.take_over("zone", wanted.zone, {"type": "vxlan"}, self._options(last, *links)),
        )
        subnets = {lan.name: self._lan(lan, wanted.zone, zone, last) for lan in private.lans}
        applied = sdn.Applier(
            f"{self._node}-applied",
            on_create=True,
            on_destroy=False,
            opts=self._options(zone, *subnets.values(), replacement_trigger=everything),
        )
        self.made = [*links, applied]
        return {name: subnet.vnet for name, subnet in subnets.items()}

    def _lan(self, lan: Lan, carrier: str, zone: sdn.zone.Vxlan, last: sdn.Applier) -> sdn.Subnet:
        """A vnet with the addresses that customers use in it; nobody routes them, so there is no gateway.

        A subnet is not taken over: the provider imports it by another id than it then has, so that the engine would
        import what it knows, and delete it.
        """
        there = self._there.vnet(carrier, lan.name)
        vnet = sdn.Vnet(
            f"{self._node}-{lan.name}",
            resource_id=pulumi.Output.from_input(lan.tag).apply(vnet_name),
            zone=zone.resource_id,
            tag=lan.tag,
            alias=lan.name,
            # Itself after the applier: the engine orders deletions by direct dependencies only.
            opts=self._options(zone, last, import_=there),
        )
        return sdn.Subnet(
            f"{self._node}-{lan.name}", vnet=vnet.resource_id, cidr=lan.cidr, opts=self._options(vnet, last)
        )
