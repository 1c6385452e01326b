"""Pools that could not be sold from, or would sell an address twice, are refused."""

import ipaddress
from typing import Any

import pytest

from api.errors import InvalidInput
from api.ipam.models import Address, AddressPool
from tests.factories.estate import estate, import_estate, ipv4_pools, ipv6_pool
from tests.fixtures.shop import Shop


def add(shop: Shop, *pools: dict[str, Any]) -> None:
    """Import an estate of these pools and no nodes."""
    import_estate(shop.database, shop.vault, estate(nodes=[], pools=pools))


def pool(cidr: str, gateway: str, name: str = "p") -> dict[str, Any]:
    """Return an IPv4 pool."""
    return {"name": name, "site": "fsn", "family": 4, "cidr": cidr, "gateway": gateway}


def test_an_ipv4_pool_has_a_row_for_each_usable_address(empty_shop: Shop) -> None:
    """Without network, broadcast and gateway."""
    add(empty_shop, pool("192.0.2.0/29", "192.0.2.1"))
    found = [str(row.network.network_address) for row in empty_shop.all(Address)]
    assert found == [f"192.0.2.{number}" for number in range(2, 7)]


def test_a_gateway_outside_the_pool_costs_no_address(empty_shop: Shop) -> None:
    """Routed addresses often have one."""
    add(empty_shop, pool("192.0.2.0/29", "198.51.100.1"))
    assert len(empty_shop.all(Address)) == 6


def test_an_ipv6_pool_has_no_rows_of_its_own(empty_shop: Shop) -> None:
    """A /48 has 65536 networks; they get rows when they are handed out."""
    add(empty_shop, ipv6_pool())
    assert empty_shop.all(Address) == []


def test_adding_a_pool_again_changes_nothing(empty_shop: Shop) -> None:
    """The estate is imported at every start."""
    for _ in range(2):
        add(empty_shop, pool("192.0.2.0/29", "192.0.2.1"))
    assert len(empty_shop.all(AddressPool)) == 1
    assert len(empty_shop.all(Address)) == 5


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (pool("192.0.2.0/28", "192.0.2.1"), "cidr"),
        (pool("192.0.2.0/29", "192.0.2.6"), "gateway"),
    ],
)
def test_a_pool_in_use_does_not_change(empty_shop: Shop, changed: dict[str, Any], field: str) -> None:
    """Guests carry its gateway in their configuration; the error names pool and field."""
    add(empty_shop, pool("192.0.2.0/29", "192.0.2.1"))
    with pytest.raises(InvalidInput, match=f"pool 'p': '{field}'"):
        add(empty_shop, changed)


@pytest.mark.parametrize("cidr", ["192.0.2.0/24", "192.0.2.4/30", "192.0.0.0/20"])
def test_overlapping_pools_are_refused(empty_shop: Shop, cidr: str) -> None:
    """Inside, around or the same: an address has one row. The error names both pools."""
    gateway = str(ipaddress.ip_network(cidr).network_address + 1)
    with pytest.raises(InvalidInput, match=r"pool 'q' .* overlaps pool 'p'"):
        add(empty_shop, pool("192.0.2.0/29", "192.0.2.1"), pool(cidr, gateway, "q"))
    assert empty_shop.all(AddressPool) == []


def test_overlapping_ipv6_pools_are_refused(empty_shop: Shop) -> None:
    """As with IPv4."""
    with pytest.raises(InvalidInput, match="overlaps pool 'fsn-v6'"):
        add(empty_shop, ipv6_pool(), ipv6_pool("2001:db8:0:8000::/49", name="q"))


def test_neighbouring_pools_are_fine(empty_shop: Shop) -> None:
    """They touch and share nothing."""
    add(empty_shop, *ipv4_pools(18))
    assert len({row.network for row in empty_shop.all(Address)}) == 18


def test_a_huge_ipv4_pool_is_refused(empty_shop: Shop) -> None:
    """A row an address: a typing mistake of /8 would be sixteen million."""
    with pytest.raises(InvalidInput, match="a /20 or smaller"):
        add(empty_shop, pool("10.0.0.0/8", "10.0.0.1"))


@pytest.mark.parametrize("cidr", ["2001:db8::/64", "2001:db8::/80"])
def test_an_ipv6_pool_that_could_serve_nobody_is_refused(empty_shop: Shop, cidr: str) -> None:
    """Its first /64 is the routers', so a /64 has none to sell."""
    with pytest.raises(InvalidInput, match="a /63 or shorter"):
        add(empty_shop, ipv6_pool(cidr))
