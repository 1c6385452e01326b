"""The address plan: no two networks of an estate overlap, whoever routes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from components.specs.platform.problems import Place, Problem

PRIVATE = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
"""RFC 1918. What is routed nowhere else may be given to our own networks."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's wish for a range: ``what`` names it in messages, ``place`` is where it is written."""

    place: Place
    what: str
    cidr: IPv4Network | IPv6Network


def overlaps(claims: Iterable[Claim]) -> Iterator[Problem]:
    """One problem for each range that overlaps a wider or an earlier one.

    Two ranges overlap only if one holds the other, so it is enough to hold each, in their order, against the widest so
    far: a thousand pools cost no more than their sorting.
    """
    widest: Claim | None = None
    for claim in sorted(claims, key=_order):
        if widest is not None and claim.cidr.version == widest.cidr.version and _holds(widest, claim):
            text = f"{claim.cidr} ({claim.what}) overlaps {widest.cidr} ({widest.what}): give one of them another range"
            yield Problem(claim.place, text)
        else:
            widest = claim


def _order(claim: Claim) -> tuple[int, int, int]:
    return claim.cidr.version, int(claim.cidr.network_address), claim.cidr.prefixlen


def _holds(outer: Claim, inner: Claim) -> bool:
    return int(inner.cidr.network_address) <= int(outer.cidr.broadcast_address)


def is_private(cidr: IPv4Network) -> bool:
    """Tell whether a range is inside one of RFC 1918's."""
    return any(cidr.subnet_of(private) for private in PRIVATE)
