"""Private networks: subnets, routes, and the addresses in them."""

import ipaddress
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lab.hcloud.catalogue import ZONES
from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Body, Change, Kind, NewBody, read
from lab.hcloud.project import Item, Project

PRIVATE = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
METADATA_GATEWAY = "172.31.1.1"
SMALLEST_NETWORK, SMALLEST_SUBNET, AUTOMATIC_SUBNET = 24, 30, 24


class Subnet(Body):
    """A new subnet; without a range one is chosen."""

    type: Literal["cloud", "server", "vswitch"]
    network_zone: str
    ip_range: str | None = None
    vswitch_id: int | None = None


class Route(Body):
    """A route."""

    destination: str
    gateway: str


class NewNetwork(NewBody):
    """A new network."""

    ip_range: str
    subnets: list[Subnet] = Field(default_factory=list)
    routes: list[Route] = Field(default_factory=list)
    expose_routes_to_vswitch: bool = False


class NetworkChange(Change):
    """What of a network can be changed in place."""

    expose_routes_to_vswitch: bool | None = None


def parse(text: str, field: str) -> ipaddress.IPv4Network:
    """An IPv4 range without host bits.

    Raises:
        ApiError: ``invalid_input`` naming the field.
    """
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise invalid(field, f"{text!r} is not an IPv4 range: {error}") from error


def _network_range(text: str) -> ipaddress.IPv4Network:
    wanted = parse(text, "ip_range")
    if not any(wanted.subnet_of(private) for private in PRIVATE):
        raise invalid("ip_range", f"{text} is not inside a private range of RFC 1918")
    if wanted.prefixlen > SMALLEST_NETWORK:
        raise invalid("ip_range", f"{text} is smaller than /{SMALLEST_NETWORK}")
    return wanted


def members(project: Project, network: int) -> Iterator[tuple[str, Item, Item]]:
    """Every server and load balancer in a network: kind, resource, and its part of ``private_net``."""
    for collection in ("servers", "load_balancers"):
        for item in project.all(collection):
            for part in item["private_net"]:
                if part["network"] == network:
                    yield collection, item, part


def listed(project: Project, network: Item) -> Iterator[Item]:
    """The members of a network as the API lists them."""
    for collection, item, part in members(project, network["id"]):
        address = ipaddress.IPv4Address(part["ip"])
        ranges = (subnet["ip_range"] for subnet in network["subnets"])
        kind = collection.removesuffix("s")
        yield {
            "id": item["id"],
            "type": kind,
            "ip": part["ip"],
            "alias_ips": part.get("alias_ips", []),
            "subnet": next((text for text in ranges if address in ipaddress.IPv4Network(text)), None),
            "status": "attaching" if project.busy(kind, item, "attach_to_network") else "ok",
        }


def taken(project: Project, network: Item) -> set[str]:
    """The addresses in use in a network, alias addresses too."""
    parts = [part for _, _, part in members(project, network["id"])]
    return {part["ip"] for part in parts} | {ip for part in parts for ip in part.get("alias_ips", [])}


def place(project: Project, network: Item, zone: str, wanted: str | None, ip_range: str | None = None) -> str:
    """The address that a new member of the network gets.

    Raises:
        ApiError: ``no_subnet_available`` or ``ip_not_available``.
    """
    subnets = [
        ipaddress.IPv4Network(subnet["ip_range"])
        for subnet in network["subnets"]
        if subnet["network_zone"] == zone and subnet["type"] != "vswitch" and ip_range in {None, subnet["ip_range"]}
    ]
    gateway = str(ipaddress.IPv4Network(network["ip_range"])[1])
    used = {*taken(project, network), gateway}
    if wanted is not None:
        _check_free(wanted, subnets, used)
        return wanted
    for subnet in subnets:
        for host in subnet.hosts():
            if str(host) not in used:
                return str(host)
    raise ApiError("no_subnet_available", f"no subnet or address is available in network zone {zone}")


def _check_free(wanted: str, subnets: list[ipaddress.IPv4Network], used: set[str]) -> None:
    try:
        address = ipaddress.IPv4Address(wanted)
    except ValueError as error:
        raise invalid("ip", f"{wanted!r} is not an IPv4 address") from error
    ends = {end for subnet in subnets for end in (subnet.network_address, subnet.broadcast_address)}
    if not any(address in subnet for subnet in subnets) or address in ends or wanted in used:
        raise ApiError("ip_not_available", f"IP {wanted} is not available")


def _narrow_destinations(network: Item) -> list[str]:
    """Where routes lead to. A default route is none of them: it is allowed although it covers everything."""
    return [route["destination"] for route in network["routes"] if not route["destination"].endswith("/0")]


class Networks(Kind):
    """Private networks."""

    collection = "networks"
    change = NetworkChange
    protects = ("delete",)

    def create(self, project: Project, body: Item) -> Item:
        """Make a network with its subnets and routes."""
        wanted = read(NewNetwork, body)
        fields = wanted.model_dump(exclude={"subnets", "routes"})
        fields["ip_range"] = str(_network_range(wanted.ip_range))
        network = project.add(self.collection, {**fields, "subnets": [], "routes": [], "protection": {"delete": False}})
        for subnet in wanted.subnets:
            self._add_subnet(project, network, subnet)
        for route in wanted.routes:
            self._add_route(network, route)
        return self.answer(project, network)

    def show(self, project: Project, item: Item) -> Item:
        """With its members."""
        found: dict[str, list[int]] = {"servers": [], "load_balancers": []}
        for collection, member, _ in members(project, item["id"]):
            found[collection].append(member["id"])
        return {**super().show(project, item), **found}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Detaches every member, as the API does; only its protection keeps a network."""
        self.guard(item, "delete")
        for _, member, part in list(members(project, item["id"])):
            member["private_net"].remove(part)
        return super().delete(project, item)

    def do_add_subnet(self, project: Project, item: Item, body: Item) -> Item:
        """Add a subnet."""
        self._add_subnet(project, item, read(Subnet, body))
        return self.begin(project, "add_subnet", item)

    def _add_subnet(self, project: Project, network: Item, wanted: Subnet) -> None:
        whole = ipaddress.IPv4Network(network["ip_range"])
        others = [ipaddress.IPv4Network(subnet["ip_range"]) for subnet in network["subnets"]]
        if wanted.network_zone not in ZONES:
            raise invalid("network_zone", f"{wanted.network_zone!r} does not exist; there are {', '.join(ZONES)}")
        chosen = parse(wanted.ip_range, "ip_range") if wanted.ip_range else self._free_range(whole, others)
        if not chosen.subnet_of(whole) or chosen.prefixlen > SMALLEST_SUBNET:
            raise invalid("ip_range", f"{chosen} is not inside {whole}, or smaller than /{SMALLEST_SUBNET}")
        if any(chosen.overlaps(other) for other in others):
            raise invalid("ip_range", f"{chosen} overlaps with another subnet of the network")
        if any(chosen.overlaps(ipaddress.IPv4Network(text)) for text in _narrow_destinations(network)):
            raise invalid("ip_range", f"{chosen} overlaps with a route's destination")
        subnet: Item = {"type": wanted.type, "network_zone": wanted.network_zone, "ip_range": str(chosen)}
        if wanted.type == "vswitch":
            self._check_vswitch(project, wanted.vswitch_id)
            subnet |= {"gateway": str(chosen[1]), "vswitch_id": wanted.vswitch_id}
        else:
            subnet |= {"gateway": str(whole[1]), "vswitch_id": None}
        network["subnets"] = [*network["subnets"], subnet]

    def _check_vswitch(self, project: Project, vswitch: int | None) -> None:
        if vswitch is None:
            raise invalid("vswitch_id", "is needed for a subnet of type vswitch")
        used = {subnet["vswitch_id"] for network in project.all(self.collection) for subnet in network["subnets"]}
        if vswitch in used:
            raise ApiError("vswitch_id_already_used", f"vSwitch {vswitch} is already used by a network")

    @staticmethod
    def _free_range(whole: ipaddress.IPv4Network, others: list[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
        for candidate in whole.subnets(new_prefix=max(AUTOMATIC_SUBNET, whole.prefixlen)):
            if not any(candidate.overlaps(other) for other in others):
                return candidate
        raise invalid("ip_range", f"there is no room for another subnet in {whole}")

    def do_delete_subnet(self, project: Project, item: Item, body: Item) -> Item:
        """Remove a subnet in which nobody is."""
        ip_range = str(body.get("ip_range"))
        left = [subnet for subnet in item["subnets"] if subnet["ip_range"] != ip_range]
        if len(left) == len(item["subnets"]):
            raise ApiError("not_found", f"subnet {ip_range} not found")
        if any(ipaddress.IPv4Address(ip) in ipaddress.IPv4Network(ip_range) for ip in taken(project, item)):
            raise ApiError("service_error", "cannot remove subnet because network has attached resources")
        item["subnets"] = left
        return self.begin(project, "delete_subnet", item)

    def do_add_route(self, project: Project, item: Item, body: Item) -> Item:
        """Add a route."""
        self._add_route(item, read(Route, body))
        return self.begin(project, "add_route", item)

    def _add_route(self, network: Item, wanted: Route) -> None:
        destination = parse(wanted.destination, "destination")
        first = ipaddress.IPv4Network(network["ip_range"])[1]
        reserved = [ipaddress.IPv4Network(f"{address}/32") for address in (first, METADATA_GATEWAY)]
        there = [subnet["ip_range"] for subnet in network["subnets"]] + [r["destination"] for r in network["routes"]]
        narrow = [subnet["ip_range"] for subnet in network["subnets"]] + _narrow_destinations(network)
        blocked = [*map(ipaddress.IPv4Network, narrow), *reserved]
        if destination.prefixlen and any(destination.overlaps(other) for other in blocked):
            raise invalid("destination", f"{destination} overlaps with a subnet, a route or a reserved address")
        if wanted.destination in there:
            raise invalid("destination", f"{destination} has a route already")
        try:
            inside = ipaddress.IPv4Address(wanted.gateway) in ipaddress.IPv4Network(network["ip_range"])
        except ValueError as error:
            raise invalid("gateway", f"{wanted.gateway!r} is not an IPv4 address") from error
        if not inside or wanted.gateway in {str(first), METADATA_GATEWAY}:
            raise invalid("gateway", f"{wanted.gateway} is not inside the network, or reserved")
        network["routes"] = [*network["routes"], {"destination": str(destination), "gateway": wanted.gateway}]

    def do_delete_route(self, project: Project, item: Item, body: Item) -> Item:
        """Remove a route."""
        route = {"destination": body.get("destination"), "gateway": body.get("gateway")}
        if route not in item["routes"]:
            raise ApiError("not_found", f"route to {route['destination']} not found")
        item["routes"] = [other for other in item["routes"] if other != route]
        return self.begin(project, "delete_route", item)

    def do_change_ip_range(self, project: Project, item: Item, body: Item) -> Item:
        """Make a network larger."""
        wanted = _network_range(str(body.get("ip_range")))
        if not ipaddress.IPv4Network(item["ip_range"]).subnet_of(wanted):
            raise invalid("ip_range", f"{wanted} does not contain the present range {item['ip_range']}")
        item["ip_range"] = str(wanted)
        return self.begin(project, "change_ip_range", item)
