"""Overlaps of ranges."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from components.specs.platform.address_plan import Claim, overlaps

ranges = st.builds(
    lambda address, prefix: ipaddress.ip_network((address, prefix), strict=False),
    st.integers(min_value=int(ipaddress.IPv4Address("10.0.0.0")), max_value=int(ipaddress.IPv4Address("10.0.15.255"))),
    st.integers(min_value=18, max_value=32),
)


@given(st.lists(ranges, max_size=12))
def test_an_overlap_is_found_exactly_where_there_is_one(cidrs: list[ipaddress.IPv4Network]) -> None:
    """The sweep over sorted ranges finds what a look at every pair finds."""
    claims = [Claim((index,), str(index), cidr) for index, cidr in enumerate(cidrs)]
    pairs = [(one, other) for number, one in enumerate(cidrs) for other in cidrs[number + 1 :] if one.overlaps(other)]
    assert bool(list(overlaps(claims))) == bool(pairs)


def test_versions_do_not_meet() -> None:
    """An IPv4 and an IPv6 range of the same bits are two ranges."""
    cidrs = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
    assert list(overlaps(Claim((), str(cidr), cidr) for cidr in cidrs)) == []
