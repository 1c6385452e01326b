"""The estate that the lab plays: nodes, templates, address pools and zones, as plain data. No I/O.

:func:`estate_document` gives the inventory document that Slipway imports. Addresses come from the ranges
reserved for documentation (RFC 5737 for IPv4, RFC 3849 for IPv6), so nothing here can reach a real host.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SITE = "fsn"
NAMESERVERS = ("192.0.2.53", "2001:db8:53::53")
"""Documentation addresses (RFC 5737, RFC 3849): nobody resolves anything in the lab."""
ZONE_NAME = "slipway.example"
STORAGE = "local-lvm"
BRIDGE = "vmbr0"
IPV6_POOL = "2001:db8:1000::/48"
TEST_NETS = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
"""RFC 5737's three documentation ranges, in the order in which the lab uses them up."""

MOST_NODES = 50
"""Nodes of one class: a port and a few megabytes each."""

_OVERHEAD = 3
"""Addresses of a subnet that no guest can have: network, gateway, broadcast."""


class WorkloadClass(StrEnum):
    """What a node is for."""

    GAME = "game"
    BOT = "bot"
    CLOUD = "cloud"


@dataclass(frozen=True)
class Hardware:
    """A node's size and what the host keeps for itself."""

    cores: int = 32
    memory_mib: int = 131_072
    disk_gib: int = 2_000
    reserve_cores: int = 2
    reserve_memory_mib: int = 8_192
    reserve_disk_gib: int = 100
    cpu_overcommit: float = 4.0


@dataclass(frozen=True)
class Template:
    """A template of a node: ``source`` is a VMID (virtual machine) or a volume id (container)."""

    slug: str
    version: str
    source: str

    @property
    def is_virtual_machine(self) -> bool:
        """True where guests are clones of a VM, false where they are containers unpacked from a volume."""
        return self.source.isdigit()


TEMPLATES: dict[WorkloadClass, tuple[Template, ...]] = {
    WorkloadClass.CLOUD: (
        Template("debian-12", "1", "9000"),
        Template("ubuntu-24.04", "1", "9001"),
    ),
    WorkloadClass.GAME: (
        Template("minecraft-java", "1.21", "local:vztmpl/minecraft-java-1.21_amd64.tar.zst"),
        Template("source-engine", "1", "local:vztmpl/source-engine-1_amd64.tar.zst"),
    ),
    WorkloadClass.BOT: (
        Template("python-bot", "3.12", "local:vztmpl/python-bot-3.12_amd64.tar.zst"),
        Template("node-bot", "22", "local:vztmpl/node-bot-22_amd64.tar.zst"),
    ),
}


@dataclass(frozen=True)
class Node:
    """One independent Proxmox VE host."""

    name: str
    workload_class: WorkloadClass
    hardware: Hardware = Hardware()

    @property
    def templates(self) -> tuple[Template, ...]:
        """The templates that a node of this class carries."""
        return TEMPLATES[self.workload_class]


def parse_nodes(text: str) -> tuple[Node, ...]:
    """Read ``game=2,bot=1,cloud=2``: how many nodes of each class.

    Raises:
        ValueError: naming the part that cannot be read and what would be right.
    """
    nodes: list[Node] = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, _, count = part.partition("=")
        known = ", ".join(WorkloadClass)
        if name not in list(WorkloadClass):
            raise ValueError(f"nodes: unknown class {name!r} in {part!r}; use one of {known}, as in game=2")
        if not count.isdigit() or not 1 <= int(count) <= MOST_NODES:
            raise ValueError(f"nodes: {part!r} needs a number from 1 to {MOST_NODES}, as in {name}=2")
        if any(node.workload_class == name for node in nodes):
            raise ValueError(f"nodes: class {name!r} is given twice; give it once with the sum")
        nodes += [Node(f"{name}-{n}", WorkloadClass(name)) for n in range(1, int(count) + 1)]
    if not nodes:
        raise ValueError("nodes: at least one node is needed, as in game=2,bot=1,cloud=2")
    return tuple(nodes)


def ipv4_subnets(size: int) -> tuple[ipaddress.IPv4Network, ...]:
    """Subnets that together hold exactly ``size`` guest addresses.

    A subnet of prefix p holds ``2**(32-p) - 3`` guests (network, gateway and broadcast are taken), so the
    sizes 253, 125, 61, 29, 13, 5 and 1 add up to every number. Exactness matters: the test that sells an
    address pool of ten to fifty buyers counts winners.

    Raises:
        ValueError: if the size is below 1 or more than the documentation ranges hold.
    """
    most = len(TEST_NETS) * (256 - _OVERHEAD)
    if not 1 <= size <= most:
        raise ValueError(f"pool-size: {size} is out of range; RFC 5737's ranges hold 1 to {most} guests")
    subnets, wanted = [], size
    for prefix in _largest_first(size):
        subnets.append(prefix)
        wanted -= prefix.num_addresses - _OVERHEAD
    if wanted:
        raise ValueError(f"pool-size: {size} does not pack into RFC 5737's ranges; use a rounder number")
    return tuple(subnets)


def _largest_first(wanted: int) -> Iterator[ipaddress.IPv4Network]:
    """Fill the documentation ranges with the largest subnet that is still wanted, until nothing is."""
    for parent in map(ipaddress.IPv4Network, TEST_NETS):
        cursor, end = int(parent.network_address), int(parent.broadcast_address) + 1
        for prefix in range(24, 31):
            size = 2 ** (32 - prefix)
            # Descending sizes keep every subnet aligned on its own size.
            while size - _OVERHEAD <= wanted and cursor + size <= end:
                yield ipaddress.IPv4Network((cursor, prefix))
                cursor += size
                wanted -= size - _OVERHEAD


def address_pools(size: int) -> list[dict[str, Any]]:
    """The address pools as the estate document shows them: IPv4 of exactly ``size`` guests, one IPv6 /48."""
    pools: list[dict[str, Any]] = [
        {
            "name": f"{SITE}-v4-{number}",
            "site": SITE,
            "family": 4,
            "cidr": str(subnet),
            "gateway": str(subnet.network_address + 1),
        }
        for number, subnet in enumerate(ipv4_subnets(size), 1)
    ]
    ipv6 = {"name": f"{SITE}-v6-1", "site": SITE, "family": 6, "cidr": IPV6_POOL, "gateway": "fe80::1"}
    return [*pools, ipv6]


def node_entry(node: Node, endpoint: str, api_token: str) -> dict[str, Any]:
    """One node as the estate document shows it. ``api_token`` is ``user@realm!name=uuid``."""
    return {
        "name": node.name,
        "site": SITE,
        "workload_class": str(node.workload_class),
        "endpoint": endpoint,
        "api_token": api_token,
        "verify_tls": False,  # each node signs its own certificate, as a fresh Proxmox VE host does
        **vars(node.hardware),
        "storage": STORAGE,
        "bridge": BRIDGE,
        "templates": [
            {"template": item.slug, "version": item.version, "source": item.source} for item in node.templates
        ],
    }


def estate_document(nodes: list[dict[str, Any]], pool_size: int, zone_id: str) -> dict[str, Any]:
    """The whole inventory document, from :func:`node_entry` items, the IPv4 pool's size and the DNS zone."""
    return {
        "sites": [{"slug": SITE, "name": "Falkenstein", "nameservers": list(NAMESERVERS)}],
        "nodes": nodes,
        "address_pools": address_pools(pool_size),
        "dns_zones": [{"name": ZONE_NAME, "provider_zone_id": zone_id}],
    }
