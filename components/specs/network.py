"""Addresses, open ports and DNS names of one workload."""

import ipaddress
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, model_validator

from components.specs.names import Hostname


class Frozen(BaseModel):
    """Base of all specs: immutable, and an unknown field is an error rather than silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Protocol(StrEnum):
    """Transport protocols a port can be opened for."""

    TCP = "tcp"
    UDP = "udp"


class PortRule(Frozen):
    """Ports that the guest's firewall lets in; everything else is dropped."""

    protocol: Protocol
    first: Annotated[int, Field(ge=1, le=65535)]
    last: Annotated[int, Field(ge=1, le=65535)]
    comment: Annotated[str, Field(pattern=r"^[A-Za-z0-9 .-]{0,64}$")] = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("'last' must not be below 'first'")
        return self

    @property
    def ports(self) -> str:
        """The range as Proxmox VE writes it: ``25565`` or ``27015:27020``."""
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"


BridgeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,14}$")]
"""A node's network bridge; Linux allows 15 characters in an interface's name."""

ZoneId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
"""A zone's id at the DNS provider."""

ZoneName = Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z0-9-]+$", max_length=180)]
"""A zone's name; its length leaves room for a label within the 253 characters of a full name (RFC 1035)."""


class Ipv4Spec(Frozen):
    """One public IPv4 address, routed to the guest: a switch port may learn few MAC addresses."""

    address: ipaddress.IPv4Address
    prefix_length: Annotated[int, Field(ge=8, le=32)]
    gateway: ipaddress.IPv4Address


class Ipv6Spec(Frozen):
    """A delegated /64; the guest itself answers at ``address`` within it."""

    network: ipaddress.IPv6Network
    address: ipaddress.IPv6Address
    gateway: ipaddress.IPv6Address

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.address not in self.network:
            raise ValueError(f"'address' {self.address} is outside 'network' {self.network}")
        return self


class NetworkSpec(Frozen):
    """The guest's one public interface."""

    bridge: BridgeName
    mac: Annotated[str, Field(pattern=r"^02(:[0-9A-F]{2}){5}$")]
    ipv4: Ipv4Spec
    ipv6: Ipv6Spec
    open_ports: tuple[PortRule, ...] = ()
    nameservers: tuple[IPvAnyAddress, ...] = ()


class DnsSpec(Frozen):
    """Where the workload's A and AAAA records go."""

    zone_id: ZoneId
    zone_name: ZoneName
    label: Hostname

    @property
    def fqdn(self) -> str:
        """The full name, without a trailing dot."""
        return f"{self.label}.{self.zone_name}"
