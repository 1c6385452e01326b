"""What only a look at the whole network stack's configuration can tell; each check yields what is wrong."""

import ipaddress
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from components.specs.platform.address_plan import Claim, is_private, overlaps
from components.specs.platform.problems import Place, Problem, repeated
from components.specs.vswitch import vlan_clashes

if TYPE_CHECKING:
    from components.specs.platform.network import NetworkSpec

LARGEST_NETWORK_PREFIX, LARGEST_SUBNET_PREFIX = 24, 30
"""Hetzner Cloud's smallest network and subnet."""
_ANYWHERE = ipaddress.IPv4Network("0.0.0.0/0")


def names(spec: "NetworkSpec") -> Iterator[Problem]:
    """Each name is there once. Inventory knows networks of every kind by name, so those share one set of names."""
    networks: list[tuple[Place, str]] = [
        *((("network", "subnets", index, "name"), item.name) for index, item in enumerate(spec.network.subnets)),
        *((("vswitches", index, "name"), item.name) for index, item in enumerate(spec.vswitches)),
        *((("private_lans", index, "name"), item.name) for index, item in enumerate(spec.private_lans)),
    ]
    yield from repeated(networks, "network")
    for field, what in (
        ("address_pools", "address pool"),
        ("firewalls", "firewall"),
        ("ssh_keys", "SSH key"),
        ("primary_ips", "primary IP"),
        ("floating_ips", "floating IP"),
    ):
        items = enumerate(getattr(spec, field))
        yield from repeated((((field, index, "name"), item.name) for index, item in items), what)
    yield from repeated((((("sites", index, "slug")), item.slug) for index, item in enumerate(spec.sites)), "site")


def keys(spec: "NetworkSpec") -> Iterator[Problem]:
    """Hetzner has each public key once."""
    owners: dict[str, str] = {}
    for index, key in enumerate(spec.ssh_keys):
        owner = owners.setdefault(key.material, key.name)
        if owner != key.name:
            yield Problem(("ssh_keys", index, "public_key"), f"is the key of '{owner}' too: name it once")


def ranges(spec: "NetworkSpec") -> Iterator[Problem]:
    """No range overlaps another."""
    inside = [
        Claim(("network", "subnets", index, "cidr"), f"subnet '{item.name}'", item.cidr)
        for index, item in enumerate(spec.network.subnets)
    ]
    if spec.vpn is not None:
        inside.append(Claim(("vpn", "cidr"), "VPN", spec.vpn.cidr))
    outside = [
        Claim(("private_lans", index, "cidr"), f"private LAN '{item.name}'", item.cidr)
        for index, item in enumerate(spec.private_lans)
    ]
    outside += [
        Claim(("address_pools", index, "cidr"), f"address pool '{item.name}'", item.cidr)
        for index, item in enumerate(spec.address_pools)
    ]
    yield from overlaps([*inside, *outside])
    yield from _beside(outside, inside, Claim(("network", "cidr"), f"network '{spec.network.name}'", spec.network.cidr))


def _beside(outside: list[Claim], inside: list[Claim], network: Claim) -> Iterator[Problem]:
    """What is not the cloud network's own stays out of its whole range: a later subnet would find it taken."""
    for claim in outside:
        if not isinstance(claim.cidr, ipaddress.IPv4Network) or not claim.cidr.overlaps(network.cidr):
            continue
        if any(claim.cidr.overlaps(other.cidr) for other in inside):
            continue  # that is told already
        yield Problem(claim.place, f"{claim.cidr} ({claim.what}) overlaps {network.cidr} ({network.what})")


def subnets(spec: "NetworkSpec") -> Iterator[Problem]:
    """The network is private and large enough, and its subnets are in it."""
    whole = spec.network.cidr
    if not is_private(whole):
        yield Problem(("network", "cidr"), f"{whole} is in none of the private ranges of RFC 1918")
    if whole.prefixlen > LARGEST_NETWORK_PREFIX:
        yield Problem(("network", "cidr"), f"{whole} is smaller than /{LARGEST_NETWORK_PREFIX}")
    for index, subnet in enumerate(spec.network.subnets):
        place: Place = ("network", "subnets", index, "cidr")
        if not subnet.cidr.subnet_of(whole):
            yield Problem(place, f"{subnet.cidr} is outside the network's {whole}")
        elif subnet.cidr.prefixlen > LARGEST_SUBNET_PREFIX:
            yield Problem(place, f"{subnet.cidr} is smaller than /{LARGEST_SUBNET_PREFIX}")


def routes(spec: "NetworkSpec") -> Iterator[Problem]:
    """A route leads from where no subnet is to an address that a cloud server can have."""
    for index, route in enumerate(spec.network.routes):
        place: Place = ("network", "routes", index)
        problem = _destination_problem(spec, route.destination, index)
        if problem is not None:
            yield Problem((*place, "destination"), problem)
        problem = _gateway_problem(spec, route.gateway)
        if problem is not None:
            yield Problem((*place, "gateway"), problem)


def _destination_problem(spec: "NetworkSpec", destination: ipaddress.IPv4Network, index: int) -> str | None:
    if any(destination == other.destination for other in spec.network.routes[:index]):
        return f"there is a route to {destination} already"
    if destination == _ANYWHERE:
        return None
    for subnet in spec.network.subnets:
        if destination.overlaps(subnet.cidr):
            return f"{destination} overlaps subnet '{subnet.name}', which needs no route"
    return None


def _gateway_problem(spec: "NetworkSpec", gateway: ipaddress.IPv4Address) -> str | None:
    cloud = [subnet for subnet in spec.network.subnets if subnet.vswitch is None]
    if not any(gateway in subnet.cidr for subnet in cloud):
        known = ", ".join(f"{subnet.name} {subnet.cidr}" for subnet in cloud)
        return f"{gateway} is in no cloud subnet: take a server's address of {known}"
    if gateway == spec.network.cidr[1]:
        return f"{gateway} is the network's own gateway: take a server's address"
    return None


def vswitches(spec: "NetworkSpec") -> Iterator[Problem]:
    """What Robot would refuse."""
    for index, field, text in vlan_clashes(spec.vswitches):
        yield Problem(("vswitches", index, field), text)


def references(spec: "NetworkSpec") -> Iterator[Problem]:
    """Whatever is named is there."""
    there = {vswitch.name for vswitch in spec.vswitches}
    joined: dict[str, str] = {}
    for index, subnet in enumerate(spec.network.subnets):
        if subnet.vswitch is None:
            continue
        place: Place = ("network", "subnets", index, "vswitch")
        other = joined.setdefault(subnet.vswitch, subnet.name)
        if other != subnet.name:
            yield Problem(place, f"subnet '{other}' has '{subnet.vswitch}' already, which joins one network once")
        yield from _unknown(place, subnet.vswitch, there, "vSwitch")
    for index, lan in enumerate(spec.private_lans):
        yield from _unknown(("private_lans", index, "vswitch"), lan.vswitch, there, "vSwitch")
    sites = {site.slug for site in spec.sites}
    for index, pool in enumerate(spec.address_pools):
        yield from _unknown(("address_pools", index, "site"), pool.site, sites, "site")


def _unknown(place: Place, name: str, there: set[str], what: str) -> Iterator[Problem]:
    if name not in there:
        yield Problem(place, f"there is no {what} '{name}'; there are: {', '.join(sorted(there)) or 'none'}")


def pools(spec: "NetworkSpec") -> Iterator[Problem]:
    """A pool's gateway is in the pool, or is every link's own address of the router (RFC 4291)."""
    for index, pool in enumerate(spec.address_pools):
        if pool.gateway not in pool.cidr and not pool.gateway.is_link_local:
            text = f"{pool.gateway} is neither in {pool.cidr} nor link-local such as fe80::1"
            yield Problem(("address_pools", index, "gateway"), text)


def tags(spec: "NetworkSpec") -> Iterator[Problem]:
    """Two private LANs of one tag would be one LAN."""
    owners: dict[int, str] = {}
    for index, lan in enumerate(spec.private_lans):
        owner = owners.setdefault(lan.tag, lan.name)
        if owner != lan.name:
            yield Problem(("private_lans", index, "tag"), f"{lan.tag} is the tag of '{owner}': give it one of its own")


CHECKS: tuple[Callable[["NetworkSpec"], Iterator[Problem]], ...] = (
    names,
    keys,
    ranges,
    subnets,
    routes,
    vswitches,
    references,
    pools,
    tags,
)
"""Every check, in the order in which their problems are told."""
