"""A cloud server of the provider's own."""

import ipaddress
from typing import Annotated

from pydantic import Field

from components.specs.network import Frozen
from components.specs.platform.base import Slug


class InsideSpec(Frozen):
    """What is around servers in the private network.

    Attributes:
        network: the whole of it; whoever is in it may reach the services, each of which asks for a login.
        gateway: the network's first address, by which servers without a public one reach the world.
        vpn: where admins come from.
        nameservers: Hetzner's resolvers, for DHCP brings none without a public address.
    """

    network: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Address
    vpn: ipaddress.IPv4Network
    nameservers: Annotated[tuple[ipaddress.IPv4Address, ...], Field(min_length=1, max_length=3)] = (
        ipaddress.IPv4Address("185.12.64.1"),
        ipaddress.IPv4Address("185.12.64.2"),
    )


class CloudServerSpec(Frozen):
    """One Hetzner Cloud server.

    Attributes:
        location: such as ``fsn1``. Hetzner's ``datacenter`` is gone and never used.
        private_address: its address in the estate's cloud network.
        has_public_ipv4: whether it has an address of its own that outlives it.
        rdns: what its public addresses resolve to.
    """

    name: Slug
    server_type: Annotated[str, Field(pattern=r"^[a-z]+[0-9]+$")] = "cx23"
    image: Annotated[str, Field(pattern=r"^[a-z]+-[0-9.]+$")] = "debian-13"
    location: Annotated[str, Field(pattern=r"^[a-z]{3}[0-9]$")]
    private_address: ipaddress.IPv4Address
    has_public_ipv4: bool = False
    rdns: str | None = None
