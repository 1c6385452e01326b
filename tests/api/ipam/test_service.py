"""Addresses are handed out once, and given back whole."""

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from api.errors import NoCapacity
from api.inventory.models import Site
from api.ipam.models import Address, AddressPool, AddressState
from api.ipam.service import HeldAddresses, Ipam, nth_prefix
from tests.factories.estate import estate, ipv4_pools, ipv6_pool, site
from tests.fixtures.shop import Shop
from tests.races import at_once

pools = st.integers(0, 63).flatmap(
    lambda length: st.integers(0, 2**length - 1).map(
        lambda number: ipaddress.IPv6Network((number << (128 - length), length))
    )
)


@given(pools, st.integers(0, 2**64))
def test_a_prefix_lies_in_its_pool_or_there_is_none(pool: ipaddress.IPv6Network, index: int) -> None:
    """Whatever the index: a /64 of this very pool, or None past its end."""
    prefix = nth_prefix(pool, index)
    assert (prefix is not None) == (index < 2 ** (64 - pool.prefixlen))
    if prefix is not None:
        assert prefix.prefixlen == 64
        assert prefix.subnet_of(pool)


@given(pools, st.data())
def test_two_indexes_never_give_one_prefix(pool: ipaddress.IPv6Network, data: st.DataObject) -> None:
    """Two customers never share a network."""
    last = 2 ** (64 - pool.prefixlen) - 1
    one, other = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
    assert (nth_prefix(pool, one) == nth_prefix(pool, other)) == (one == other)


def test_a_negative_index_gives_nothing() -> None:
    """It would reach into the network before the pool."""
    assert nth_prefix(ipaddress.IPv6Network("2001:db8::/48"), -1) is None


def hold(shop: Shop, workload_id: UUID) -> HeldAddresses:
    """Hold addresses for a workload of the shop's only site."""

    def within(session: Session) -> HeldAddresses:
        return Ipam(session).hold(session.scalars(select(Site.id)).one(), workload_id)

    return shop.change(within)


def release(shop: Shop, order_id: UUID, quarantine: timedelta = timedelta(0)) -> None:
    """Let go of the addresses of an order's workload."""
    workload_id = shop.workload(order_id).id
    shop.change(lambda session: Ipam(session).release(workload_id, quarantine))


@pytest.fixture
def place(empty_shop: Shop) -> Callable[[], UUID]:
    """Return a way to place orders in a shop with two IPv4 addresses and three IPv6 networks."""
    pools = [*ipv4_pools(2), ipv6_pool("2001:db8::/62")]
    empty_shop.stock(estate(pools=pools))
    return empty_shop.place


def addresses_of(shop: Shop, order_id: UUID) -> set[str]:
    """Return the networks that an order's workload holds."""
    workload_id = shop.workload(order_id).id
    return {str(row.network) for row in shop.all(Address) if row.workload_id == workload_id}


def test_a_workload_gets_one_address_and_one_network(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """The lowest free ones; a pool's first /64 is the routers'."""
    assert addresses_of(empty_shop, place()) == {"203.0.113.2/32", "2001:db8:0:1::/64"}
    assert addresses_of(empty_shop, place()) == {"203.0.113.6/32", "2001:db8:0:2::/64"}


def test_an_exhausted_pool_sells_nothing_and_holds_nothing(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """The third buyer of two addresses is told so, and nothing of the try is left."""
    place(), place()
    room = empty_shop.room_used()
    with pytest.raises(NoCapacity, match="nothing was charged"):
        place()
    assert empty_shop.room_used() == room
    assert [row.state for row in empty_shop.all(Address)].count(AddressState.HELD) == 4


def test_an_exhausted_ipv6_pool_gives_the_ipv4_address_back(empty_shop: Shop) -> None:
    """Both or none: the rollback of the second half takes the first half with it."""
    empty_shop.stock(estate(pools=[*ipv4_pools(5), ipv6_pool("2001:db8::/63")]))
    empty_shop.place()
    with pytest.raises(NoCapacity):
        empty_shop.place()
    states = [row.state for row in empty_shop.all(Address) if row.family == 4]
    assert (states.count(AddressState.HELD), states.count(AddressState.FREE)) == (1, 4)


def test_released_addresses_without_a_rest_are_free_at_once(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """An unpaid order's addresses never carried traffic."""
    first = place()
    before = addresses_of(empty_shop, first)
    release(empty_shop, first)
    assert addresses_of(empty_shop, place()) == before


def test_released_addresses_rest_before_the_next_tenant(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """Nobody inherits the former tenant's traffic at once."""
    first = place()
    release(empty_shop, first, timedelta(hours=1))
    assert empty_shop.change(lambda session: Ipam(session).end_quarantine()) == 0
    assert addresses_of(empty_shop, place()) == {"203.0.113.6/32", "2001:db8:0:2::/64"}
    with pytest.raises(NoCapacity):
        place()


def test_the_end_of_the_rest_frees_exactly_what_has_rested(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """By the database's clock."""
    first, second = place(), place()
    release(empty_shop, first, timedelta(hours=1))
    release(empty_shop, second, timedelta(hours=1))
    empty_shop.change(
        lambda session: session.execute(
            update(Address)
            .where(Address.network == ipaddress.ip_network("203.0.113.2/32"))
            .values(free_after=func.now() - timedelta(seconds=1))
        )
    )
    assert empty_shop.change(lambda session: Ipam(session).end_quarantine()) == 1
    free = [str(row.network) for row in empty_shop.all(Address) if row.state is AddressState.FREE]
    assert free == ["203.0.113.2/32"]


def test_releasing_twice_is_harmless(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """The second time finds nothing, also when somebody else has the address by then."""
    first = place()
    release(empty_shop, first)
    second = place()
    release(empty_shop, first)
    assert len(addresses_of(empty_shop, second)) == 2


def test_a_vmid_is_never_used_twice(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """Backups are grouped by VMID: not even a cancelled order's number comes back."""
    first = place()
    release(empty_shop, first)
    assert empty_shop.workload(place()).vmid > empty_shop.workload(first).vmid >= 100_000


def test_simultaneous_holders_get_different_addresses(empty_shop: Shop) -> None:
    """Sixteen at once, straight on the pools: sixteen addresses, sixteen networks (invariant I5)."""
    empty_shop.stock()
    owners = [empty_shop.workload(empty_shop.place()).id for _ in range(16)]
    empty_shop.change(
        lambda session: session.execute(
            update(Address).values(state=AddressState.FREE, workload_id=None, free_after=None)
        )
    )
    held = at_once([partial(hold, empty_shop, owner) for owner in owners])
    assert len({found.ipv4 for found in held}) == len({found.ipv6 for found in held}) == 16


def test_simultaneous_holders_get_different_new_networks(empty_shop: Shop) -> None:
    """Networks that had no row yet are counted off one after the other."""
    empty_shop.stock()
    owners = [empty_shop.workload(empty_shop.place()).id for _ in range(16)]
    empty_shop.change(
        lambda session: (
            session.execute(delete(Address).where(Address.family == 6)),
            session.execute(update(Address).values(state=AddressState.FREE, workload_id=None, free_after=None)),
        )
    )
    held = at_once([partial(hold, empty_shop, owner) for owner in owners])
    assert len({found.ipv6 for found in held}) == 16


def test_a_workload_cannot_hold_two_addresses_of_a_family(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """The database refuses what no code of ours asks for."""
    workload_id = empty_shop.workload(place()).id
    with pytest.raises(Exception, match="uq_addresses_workload_pool"):
        hold(empty_shop, workload_id)


def test_only_sites_with_both_families_have_room(empty_shop: Shop) -> None:
    """A site without IPv6, or without IPv4, cannot serve an order."""
    sites = [site(slug) for slug in ("both", "four", "six")]
    pools = [
        {**ipv4_pools(1)[0], "name": "a", "site": "both"},
        {**ipv4_pools(2)[1], "name": "b", "site": "four"},
        ipv6_pool("2001:db8::/48", "both"),
        ipv6_pool("2001:db8:1::/48", "six"),
    ]
    empty_shop.stock(estate(nodes=[], pools=pools, sites=sites))
    found = empty_shop.change(lambda session: Ipam(session).sites_with_room())
    assert {site.slug for site in empty_shop.all(Site) if site.id in found} == {"both"}


def test_ipv6_networks_are_counted_on_from_where_the_pool_is(empty_shop: Shop, place: Callable[[], UUID]) -> None:
    """The pool's own counter, not the number of rows, says what comes next."""
    place(), place()
    (counter,) = [pool.next_index for pool in empty_shop.all(AddressPool) if pool.family == 6]
    assert counter == 3
