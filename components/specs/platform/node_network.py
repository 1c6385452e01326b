"""A node's interfaces, and the customers' private LANs that nodes carry over a vSwitch."""

import ipaddress
from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen
from components.specs.platform.base import Slug
from components.specs.vswitch import FIRST_VLAN, LAST_VLAN

VXLAN_OVERHEAD = 50
"""Bytes that VXLAN adds to a frame over IPv4: Ethernet 14, IP 20, UDP 8, VXLAN 8 (RFC 7348)."""

VSWITCH_MTU = 1400
"""Bytes that Hetzner carries between the servers of a vSwitch; longer packets are lost without a word."""

SMALLEST_MTU = 1280
"""What IPv6 needs of every link (RFC 8200, section 5)."""

MOST_AWAITED = 16
"""Peers that are not there yet: what each of them costs the others is small, and not nothing."""

_LARGEST_TAG = 2**24 - 1
_READABLE_TAG = 9_999_999

InterfaceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,9}$")]
"""A network card or bond of a node; ten characters leave room for ``.4000`` in Linux's fifteen."""

BridgeId = Annotated[str, Field(pattern=r"^vmbr[0-9]{1,4}$")]
"""A bridge as Proxmox VE names and recognises it."""

PortName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9.]{1,14}$")]
"""What may be in a bridge: a card, a bond or a VLAN of one, such as ``eno1.4000``."""

SdnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,7}$")]
"""A zone or vnet of Proxmox VE: two to eight characters, since they become parts of interfaces' names."""

Tag = Annotated[int, Field(ge=1, le=_LARGEST_TAG)]
"""A VXLAN network identifier: 24 bits (RFC 7348)."""

Mtu = Annotated[int, Field(ge=SMALLEST_MTU, le=9000)]
"""The longest packet of a link, in bytes."""


class BridgeSpec(Frozen):
    """A Linux bridge of a node.

    Attributes:
        ports: what is in it. A bridge of routed guests has none: the node hands packets on by their addresses.
        adopted: whether the installation has made it. Such a bridge is taken over with these values, kept that way,
            and left on the node when the stack is destroyed: without it nobody would reach the node any more.
    """

    name: BridgeId
    ports: tuple[PortName, ...] = ()
    address: ipaddress.IPv4Interface | None = None
    gateway: ipaddress.IPv4Address | None = None
    mtu: Mtu | None = None
    vlan_aware: bool = False
    comment: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._-]{1,64}$")] | None = None
    adopted: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.gateway is not None and (self.address is None or self.gateway not in self.address.network):
            raise ValueError(
                f"'gateway' {self.gateway} of bridge '{self.name}' is outside the network of its 'address'"
            )
        if len(set(self.ports)) != len(self.ports):
            raise ValueError(f"'ports' of bridge '{self.name}' names an interface twice")
        return self


class NodeNetworkSpec(Frozen):
    """One node's interfaces, its end of the private network left out: that follows from its address.

    Attributes:
        uplink: the card or bond that the vSwitch's VLAN comes in by.
        bridges: those of the installation that are to be kept as they are, and further ones.
    """

    uplink: InterfaceName = "eno1"
    bridges: tuple[BridgeSpec, ...] = ()

    @model_validator(mode="after")
    def _no_clash(self) -> Self:
        taken: dict[str, str] = {}
        for bridge in self.bridges:
            if bridge.name in taken:
                raise ValueError(f"two bridges are named '{bridge.name}'")
            for name in (bridge.name, *bridge.ports):
                other = taken.setdefault(name, bridge.name)
                if other != bridge.name:
                    raise ValueError(f"'{name}' would be in the bridges '{other}' and '{bridge.name}': it fits in one")
        gateways = [bridge.name for bridge in self.bridges if bridge.gateway is not None]
        if len(gateways) > 1:
            raise ValueError(f"the bridges {', '.join(gateways)} have a 'gateway' each: a node has one")
        return self


class VSwitchLink(Frozen):
    """What a node must know of the vSwitch that it is on."""

    vlan: Annotated[int, Field(ge=FIRST_VLAN, le=LAST_VLAN)]
    mtu: Annotated[int, Field(ge=SMALLEST_MTU + VXLAN_OVERHEAD, le=VSWITCH_MTU)] = VSWITCH_MTU


class PrivateLan(Frozen):
    """A customers' private LAN: layer 2 between guests on any of the nodes."""

    name: Slug
    tag: Tag
    cidr: ipaddress.IPv4Network

    @property
    def vnet(self) -> str:
        """Its vnet on every node, which is also the bridge that guests are given."""
        return vnet_name(self.tag)


class PrivateNetworkSpec(Frozen):
    """The network between the nodes of an estate, and the customers' private LANs that it carries.

    Attributes:
        vswitch: which of the network stack's vSwitches it is.
        cidr: the addresses of nodes on it.
        zone: the SDN zone's name; each node has a zone of its own, all with the same name, peers and tags.
        lans: which of the network stack's private LANs the nodes carry.
        mtu: of guests' packets in those; None is the most that the vSwitch leaves room for.
        awaited: addresses of nodes that are still to come. They are peers of all nodes from now on, so that a node
            which takes one changes nothing on the others; one that is taken may stay in the list. A few: until then
            each node sends whatever is for everybody in a LAN to them, too, and asks the vSwitch in vain who they are.
    """

    vswitch: Slug
    cidr: ipaddress.IPv4Network
    zone: SdnName = "lans"
    lans: tuple[Slug, ...] = ()
    mtu: Mtu | None = None
    awaited: Annotated[tuple[ipaddress.IPv4Address, ...], Field(max_length=MOST_AWAITED)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for field, items in (("lans", self.lans), ("awaited", [str(address) for address in self.awaited])):
            twice = sorted({item for item in items if items.count(item) > 1})
            if twice:
                raise ValueError(f"'{field}' names {', '.join(twice)} twice")
        for address in self.awaited:
            if not self._is_host(address):
                raise ValueError(f"awaited: {address} is no host's address of {self.cidr}")
        overlay_mtu(VSWITCH_MTU, self.mtu)
        return self

    def address_of(self, node: ipaddress.IPv4Address) -> str:
        """Return a node's address with the network's prefix: ``10.10.16.11/24``."""
        return f"{node}/{self.cidr.prefixlen}"

    def peers(self, nodes: Iterable[ipaddress.IPv4Address]) -> list[str]:
        """Return the addresses between which LANs are carried, of nodes and awaited ones, in a lasting order."""
        return [str(address) for address in sorted({*nodes, *self.awaited})]

    def check_node(self, node: str, address: ipaddress.IPv4Address, interfaces: NodeNetworkSpec) -> None:
        """Hold a node against the network.

        Raises:
            ValueError: if its address is no host's of the network, or a bridge of it has addresses of the network.
        """
        if not self._is_host(address):
            raise ValueError(f"node '{node}': private_address: {address} is no host's address of {self.cidr}")
        for bridge in interfaces.bridges:
            if bridge.address is not None and bridge.address.network.overlaps(self.cidr):
                problem = f"{bridge.address} overlaps the private network {self.cidr}"
                raise ValueError(f"node '{node}': address of bridge '{bridge.name}': {problem}")

    def _is_host(self, address: ipaddress.IPv4Address) -> bool:
        return address in self.cidr and address not in {self.cidr.network_address, self.cidr.broadcast_address}


def vnet_name(tag: int) -> str:
    """Return the name of a private LAN's vnet, at most eight characters, another one for each tag.

    >>> vnet_name(10001), vnet_name(16777215)
    ('v10001', 'xffffff')
    """
    return f"v{tag}" if tag <= _READABLE_TAG else f"x{tag:x}"


def overlay_mtu(vswitch: int, wanted: int | None = None) -> int:
    """Return the MTU of private LANs over a vSwitch with this MTU, in bytes.

    Raises:
        ValueError: if the wanted one does not leave room for VXLAN's headers: its packets would be lost.
    """
    most = vswitch - VXLAN_OVERHEAD
    if wanted is not None and wanted > most:
        raise ValueError(f"mtu: {wanted} does not fit a vSwitch of {vswitch}: VXLAN takes {VXLAN_OVERHEAD}, use {most}")
    return most if wanted is None else wanted


def check_lans(lans: Iterable[PrivateLan]) -> None:
    """Hold private LANs against each other.

    Raises:
        ValueError: names both LANs and what they share: name, tag or addresses.
    """
    for one, other in combinations(lans, 2):
        if one.name == other.name:
            raise ValueError(f"two private LANs are named '{one.name}'")
        if one.tag == other.tag:
            raise ValueError(f"tag: '{one.name}' and '{other.name}' both have {one.tag}: they would be one LAN")
        if one.cidr.overlaps(other.cidr):
            raise ValueError(f"cidr: {one.cidr} of '{one.name}' overlaps {other.cidr} of '{other.name}'")
