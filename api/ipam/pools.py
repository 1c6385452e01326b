"""Adding address pools."""

import ipaddress

from sqlalchemy import insert, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.errors import InvalidInput
from api.ipam.models import Address, AddressPool

_LARGEST_IPV4_POOL = 20
_SMALLEST_IPV6_POOL = 63


def add_pool(session: Session, pool: AddressPool) -> None:
    """Add a pool, with a row for each IPv4 address; IPv6 prefixes get theirs when first handed out.

    A pool that is there already is left as it is: guests were told its gateway.

    Raises:
        InvalidInput: if it overlaps another pool, would change one, is shorter than a /20 (IPv4), or is longer than a
            /63 (IPv6: the first /64 is kept for routers).
    """
    existing = session.scalars(select(AddressPool).where(AddressPool.name == pool.name)).one_or_none()
    if existing is not None:
        for name in ("site_id", "cidr", "gateway"):
            old, new = getattr(existing, name), getattr(pool, name)
            if old != new:
                raise InvalidInput(
                    f"pool '{pool.name}': '{name}' is {old} and cannot become {new}: add a new pool", field=name
                )
        return
    for other in session.scalars(select(AddressPool).where(AddressPool.family == pool.family)):
        if _overlap(other.cidr, pool.cidr):
            raise InvalidInput(f"pool '{pool.name}' ({pool.cidr}) overlaps pool '{other.name}' ({other.cidr})")
    addresses = _usable_ipv4(pool) if isinstance(pool.cidr, ipaddress.IPv4Network) else _check_ipv6(pool)
    session.add(pool)
    session.flush()
    if addresses:
        session.execute(
            insert(Address),
            [
                {"id": uuid7(), "pool_id": pool.id, "family": 4, "network": ipaddress.ip_network(address)}
                for address in addresses
            ],
        )


def _usable_ipv4(pool: AddressPool) -> list[ipaddress.IPv4Address]:
    network = pool.cidr
    if not isinstance(network, ipaddress.IPv4Network) or network.prefixlen < _LARGEST_IPV4_POOL:
        raise InvalidInput(f"pool '{pool.name}': an IPv4 pool is a /{_LARGEST_IPV4_POOL} or smaller; split {network}")
    return [address for address in network.hosts() if address != pool.gateway]


def _check_ipv6(pool: AddressPool) -> list[ipaddress.IPv4Address]:
    if pool.cidr.prefixlen > _SMALLEST_IPV6_POOL:
        raise InvalidInput(
            f"pool '{pool.name}': an IPv6 pool is a /{_SMALLEST_IPV6_POOL} or shorter: "
            "its first /64 is kept for routers, each workload gets another"
        )
    return []


def _overlap(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network, other: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> bool:
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.overlaps(other)
    return isinstance(other, ipaddress.IPv6Network) and one.overlaps(other)
