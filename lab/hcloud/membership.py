"""What servers and load balancers have in common: they can be in private networks."""

import ipaddress

from pydantic import Field

from lab.hcloud.catalogue import offered
from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Body, Kind, read
from lab.hcloud.networks import place
from lab.hcloud.project import Item, Project


class Join(Body):
    """Into which network, with which address of it; both are chosen if they are not given."""

    network: int
    ip: str | None = None
    ip_range: str | None = None
    alias_ips: list[str] = Field(default_factory=list)


class Membership(Kind):
    """Actions on the networks of a resource."""

    def join(self, project: Project, item: Item, body: Item) -> Item:
        """Put a resource into a network and return that.

        Raises:
            ApiError: if it is in it, in one that overlaps, or there is no address.
        """
        wanted = read(Join, body)
        network = project.get("networks", wanted.network)
        if any(part["network"] == network["id"] for part in item["private_net"]):
            raise ApiError(f"{self.singular}_already_attached", f"{self.singular} is already in this network")
        whole = ipaddress.IPv4Network(network["ip_range"])
        for part in item["private_net"]:
            if whole.overlaps(ipaddress.IPv4Network(project.get("networks", part["network"])["ip_range"])):
                raise ApiError("networks_overlap", f"network {network['id']} overlaps with {part['network']}")
        zone = offered("locations", item["location"], "location")["network_zone"]
        part = {"network": network["id"], "ip": place(project, network, zone, wanted.ip, wanted.ip_range)}
        item["private_net"] = [*item["private_net"], part]
        if self.singular == "server":
            number = project.world.next("mac").to_bytes(3, "big")
            part |= {
                "alias_ips": [],
                "mac_address": f"86:00:00:{number.hex(':')}",
            }
            self._alias(project, network, part, wanted.alias_ips, zone)
        return network

    @staticmethod
    def _alias(project: Project, network: Item, part: Item, wanted: list[str], zone: str) -> None:
        part["alias_ips"] = []
        for address in wanted:
            place(project, network, zone, address)
            part["alias_ips"].append(address)

    def _part(self, item: Item, network: object) -> Item:
        for part in item["private_net"]:
            if part["network"] == network:
                return dict(part)
        raise invalid("network", f"the {self.singular} is not in network {network}")

    def do_attach_to_network(self, project: Project, item: Item, body: Item) -> Item:
        """Put it into a network."""
        network = self.join(project, item, body)
        return self.begin(project, "attach_to_network", item, ("network", network))

    def do_detach_from_network(self, project: Project, item: Item, body: Item) -> Item:
        """Take it out of a network."""
        gone = self._part(item, body.get("network"))
        item["private_net"] = [part for part in item["private_net"] if part != gone]
        return self.begin(project, "detach_from_network", item, ("network", {"id": gone["network"]}))
