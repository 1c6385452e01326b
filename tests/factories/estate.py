"""Hardware, addresses and zones to sell from. Addresses are documentation ranges (RFC 5737, RFC 3849)."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from api.catalogue.seed import load_catalogue, seed_catalogue
from api.db.session import Database
from api.inventory.estate import EstateDocument, EstateImport
from api.vault import Vault

TEMPLATES = {
    "cloud": [
        {"template": "debian-12", "version": "1", "source": "9000"},
        {"template": "ubuntu-24.04", "version": "1", "source": "9001"},
    ],
    "game": [
        {"template": "minecraft-java", "version": "1.21", "source": "local:vztmpl/minecraft-java-1.21.tar.zst"},
        {"template": "source-engine", "version": "1", "source": "local:vztmpl/source-engine-1.tar.zst"},
    ],
    "bot": [
        {"template": "python-bot", "version": "3.12", "source": "local:vztmpl/python-bot-3.12.tar.zst"},
        {"template": "node-bot", "version": "22", "source": "local:vztmpl/node-bot-22.tar.zst"},
    ],
}


def node(name: str, workload_class: str, **changes: Any) -> dict[str, Any]:
    """Return a node that may sell 64 cores, 64 GiB and 1000 GiB once its host has had its share."""
    fields: dict[str, Any] = {
        "name": name,
        "site": "fsn",
        "workload_class": workload_class,
        "endpoint": f"https://{name}.example:8006",
        "api_token": "slipway@pve!test=00000000-0000-4000-8000-000000000000",
        "cores": 66,
        "memory_mib": 65_536 + 4096,
        "disk_gib": 1050,
        "reserve_cores": 2,
        "reserve_memory_mib": 4096,
        "reserve_disk_gib": 50,
        "storage": "local-zfs",
        "bridge": "vmbr0",
        "templates": TEMPLATES[workload_class],
    }
    return fields | changes


def node_for(count: int, name: str = "cloud-1", workload_class: str = "cloud", **changes: Any) -> dict[str, Any]:
    """Return a node with room for exactly ``count`` small cloud VMs (1 core, 2 GiB, 20 GiB)."""
    exact = {"cores": count + 2, "memory_mib": count * 2048 + 4096, "disk_gib": count * 20 + 50}
    return node(name, workload_class, **(exact | changes))


def ipv4_pools(count: int, site: str = "fsn") -> list[dict[str, Any]]:
    """Return pools with exactly ``count`` addresses for guests: subnets of 253, 125, 61, 29, 13, 5 and 1."""
    pools: list[dict[str, Any]] = []
    cursor, left = int(ipaddress.IPv4Address("203.0.113.0")), count
    for prefix in range(24, 31):
        size = 2 ** (32 - prefix)
        while left >= size - 3:
            network = ipaddress.IPv4Network((cursor, prefix))
            gateway = str(network.network_address + 1)
            entry = {"name": f"{site}-v4-{len(pools)}", "site": site, "family": 4, "cidr": str(network)}
            pools.append({**entry, "gateway": gateway})
            cursor, left = cursor + size, left - (size - 3)
    return pools


def ipv6_pool(cidr: str = "2001:db8::/48", site: str = "fsn", **changes: Any) -> dict[str, Any]:
    """Return an IPv6 pool; its first /64 is the routers', so a /48 has 65535 for guests."""
    return {"name": f"{site}-v6", "site": site, "family": 6, "cidr": cidr, "gateway": "fe80::1"} | changes


def site(slug: str) -> dict[str, Any]:
    """Return a site with two resolvers."""
    return {"slug": slug, "name": slug.upper(), "nameservers": ["192.0.2.53", "2001:db8:53::53"]}


def estate(
    nodes: Sequence[dict[str, Any]] | None = None,
    pools: Sequence[dict[str, Any]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return an estate of one site; by default with a roomy node of each class and 253 IPv4 addresses."""
    default = [node("cloud-1", "cloud"), node("game-1", "game"), node("bot-1", "bot")]
    fields: dict[str, Any] = {
        "sites": [site("fsn")],
        "nodes": default if nodes is None else nodes,
        "address_pools": [*ipv4_pools(253), ipv6_pool()] if pools is None else pools,
        "dns_zones": [{"name": "play.example", "provider_zone_id": "023e105f4ecef8ad9ca31a8372d0c353"}],
    }
    return fields | changes


def import_estate(database: Database, vault: Vault, document: dict[str, Any] | None = None) -> None:
    """Import an estate (``estate()`` if none is given), as platform engineering does."""
    with database.transaction() as transaction:
        EstateImport(transaction.session, vault).apply(EstateDocument.model_validate(document or estate()))


def stock(database: Database, vault: Vault, document: dict[str, Any] | None = None) -> None:
    """Fill an empty database with the shipped catalogue and an estate: from then on, orders can be placed."""
    with database.transaction() as transaction:
        seed_catalogue(transaction.session, load_catalogue())
    import_estate(database, vault, document)
