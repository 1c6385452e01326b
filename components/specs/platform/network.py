"""The network stack's configuration: the estate's address plan, and who may reach what from outside."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from components.specs.network import Frozen
from components.specs.platform import network_plan
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.problems import Problem, refuse
from components.specs.platform.report import PoolReport, SiteReport
from components.specs.vswitch import VSwitchSpec

CLOUD_MTU = 1450
"""Bytes that a server may send within a Hetzner Cloud network."""
MOST_VSWITCH_MTU = 1400
"""Bytes that a vSwitch carries; more is dropped without a word (docs.hetzner.com, vSwitch)."""
VXLAN_OVERHEAD = 50
"""Bytes of outer Ethernet, IPv4, UDP and VXLAN headers (RFC 7348)."""
LEAST_MTU = 1280
"""Bytes that every link of IPv6 has to carry (RFC 8200), customers' LANs too."""
LAST_VNI = 2**24 - 1
MOST_RULES = 50
"""The rules that a firewall may have at Hetzner Cloud."""

_PORTS = re.compile(r"any|[0-9]+(-[0-9]+)?")
_LAST_PORT = 65_535

Location = Annotated[str, Field(pattern=r"^[a-z]{3}[0-9]?$")]
"""Hetzner's name of a place, such as ``fsn1``."""


def _ports(text: str) -> str:
    ends = [int(end) for end in text.split("-")] if text != "any" else [1]
    if not _PORTS.fullmatch(text) or not all(1 <= end <= _LAST_PORT for end in ends) or ends != sorted(set(ends)):
        raise ValueError(f"'{text}' is neither a port, nor a range such as 8000-8010, nor 'any'")
    return text


class SubnetSpec(Frozen):
    """A part of the cloud network; with ``vswitch`` it is the dedicated servers' side of it."""

    name: Slug
    cidr: ipaddress.IPv4Network
    vswitch: Slug | None = None


class RouteSpec(Frozen):
    """Where the cloud network sends what is for none of its subnets; ``0.0.0.0/0`` is the way out."""

    destination: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Address


class CloudNetworkSpec(Frozen):
    """The estate's one private network at Hetzner Cloud.

    Attributes:
        zone: Hetzner's network zone, in which all subnets are.
        exposes_routes_to_vswitch: whether dedicated servers learn the routes.
        protected: Hetzner refuses to delete it, whoever asks; to destroy the stack, bring it up with ``false`` first.
    """

    name: Slug
    cidr: ipaddress.IPv4Network
    zone: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+$")] = "eu-central"
    exposes_routes_to_vswitch: bool = True
    protected: bool = False
    subnets: Annotated[tuple[SubnetSpec, ...], Field(min_length=1, max_length=50)]
    routes: Annotated[tuple[RouteSpec, ...], Field(max_length=100)] = ()


class VSwitchPlanSpec(VSwitchSpec):
    """A vSwitch of the estate; ``mtu`` is what its servers may send, in bytes."""

    name: Slug
    mtu: Annotated[int, Field(ge=LEAST_MTU + VXLAN_OVERHEAD, le=MOST_VSWITCH_MTU)] = MOST_VSWITCH_MTU


class VpnSpec(Frozen):
    """The admins' VPN, which the bastion serves: its addresses, and its UDP port."""

    cidr: ipaddress.IPv4Network
    port: Annotated[int, Field(ge=1, le=_LAST_PORT)] = 51820


class PrivateLanSpec(Frozen):
    """A LAN that customers can be given; ``tag`` is its VXLAN's identifier on the vSwitch that carries it."""

    name: Slug
    tag: Annotated[int, Field(ge=1, le=LAST_VNI)]
    cidr: ipaddress.IPv4Network
    vswitch: Slug


class FirewallRuleSpec(Frozen):
    """What a firewall lets in; everything else from outside is dropped. ``ports`` are for TCP and UDP only."""

    description: Annotated[str, Field(min_length=1, max_length=255)]
    protocol: Literal["tcp", "udp", "icmp", "gre", "esp"] = "tcp"
    ports: Annotated[str, AfterValidator(_ports)] | None = None
    sources: Annotated[tuple[IPvAnyNetwork, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _ports_where_there_are_any(self) -> Self:
        if (self.ports is not None) != (self.protocol in {"tcp", "udp"}):
            refuse([Problem(("ports",), "TCP and UDP need 'ports', and nothing else has any")])
        return self


class FirewallSpec(Frozen):
    """A firewall before the public addresses of cloud servers; what they send each other inside passes none.

    Without rules it lets nothing in.
    """

    name: Slug
    rules: Annotated[tuple[FirewallRuleSpec, ...], Field(max_length=MOST_RULES)] = ()


class SshKeySpec(Frozen):
    """The public key of somebody who may log in to new servers as root."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    public_key: Annotated[str, Field(pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*")]

    @property
    def material(self) -> str:
        """The key without its comment, by which Hetzner tells keys apart."""
        return " ".join(self.public_key.split()[:2])


class PublicAddressSpec(Frozen):
    """A public address that outlives the server that has it.

    Attributes:
        rdns: what it resolves to.
        protected: Hetzner refuses to delete it.
    """

    name: Slug
    family: Literal[4, 6] = 4
    location: Location
    rdns: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$", max_length=253)] | None = None
    protected: bool = False


class NetworkSpec(PlatformSpec):
    """What the network stack is configured with: all networks of an estate, and the firewalls before them."""

    sites: Annotated[tuple[SiteReport, ...], Field(min_length=1)]
    network: CloudNetworkSpec
    vswitches: tuple[VSwitchPlanSpec, ...] = ()
    vpn: VpnSpec | None = None
    private_lans: tuple[PrivateLanSpec, ...] = ()
    address_pools: tuple[PoolReport, ...] = ()
    firewalls: tuple[FirewallSpec, ...] = ()
    ssh_keys: tuple[SshKeySpec, ...] = ()
    primary_ips: tuple[PublicAddressSpec, ...] = ()
    floating_ips: tuple[PublicAddressSpec, ...] = ()

    @model_validator(mode="after")
    def _plan(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        for check in network_plan.CHECKS:
            yield from check(self)
