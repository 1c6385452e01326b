"""Primary and floating IPs, and the names that their addresses resolve to."""

import ipaddress
from typing import Literal

from pydantic import Field

from lab.hcloud.catalogue import offered
from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Body, Change, Kind, Name, NewBody, read
from lab.hcloud.labels import Labels
from lab.hcloud.project import Item, Project


class NewPrimary(NewBody):
    """A new primary IP."""

    type: Literal["ipv4", "ipv6"]
    assignee_type: Literal["server"] = "server"
    assignee_id: int | None = None
    location: str | None = None
    auto_delete: bool = False


class PrimaryChange(Change):
    """What of a primary IP can be changed in place."""

    auto_delete: bool | None = None


class NewFloating(Body):
    """A new floating IP."""

    type: Literal["ipv4", "ipv6"]
    name: Name | None = None
    labels: Labels = Field(default_factory=dict)
    description: str | None = None
    home_location: str | int | None = None
    server: int | None = None


class FloatingChange(Change):
    """What of a floating IP can be changed in place."""

    description: str | None = None


def default_name(ip: str) -> str:
    """What an IPv4 address resolves to until somebody says otherwise."""
    return f"static.{'.'.join(reversed(ip.split('.')))}.clients.example"


def fresh_address(project: Project, version: str) -> Item:
    """The fields of a new public address."""
    ip = project.world.address(version)
    names = [{"ip": ip, "dns_ptr": default_name(ip)}] if version == "ipv4" else []
    return {"type": version, "ip": ip, "dns_ptr": names, "blocked": False, "protection": {"delete": False}}


def point(item: Item, ip: str, name: str | None) -> None:
    """Have an address of a resource resolve to a name; None for the default again.

    Raises:
        ApiError: ``not_found`` if the address is not the resource's.
    """
    try:
        own = ipaddress.ip_address(ip) in ipaddress.ip_network(item["ip"])
    except ValueError as error:
        raise invalid("ip", f"{ip!r} is not an IP address") from error
    if not own:
        raise ApiError("not_found", f"IP {ip} does not belong to this resource")
    others = [entry for entry in item["dns_ptr"] if entry["ip"] != ip]
    if name is None and item["type"] == "ipv4":
        name = default_name(ip)
    item["dns_ptr"] = others if name is None else [*others, {"ip": ip, "dns_ptr": name}]


class _Addresses(Kind):
    """What primary and floating IPs have in common."""

    protects = ("delete",)
    filters = ("name", "ip")

    def do_change_dns_ptr(self, project: Project, item: Item, body: Item) -> Item:
        """Set the name of an address."""
        point(item, str(body.get("ip")), body.get("dns_ptr"))
        return self.begin(project, "change_dns_ptr", item)

    def delete(self, project: Project, item: Item) -> Item | None:
        """Unless it is protected."""
        self.guard(item, "delete")
        return super().delete(project, item)


class PrimaryIps(_Addresses):
    """Addresses that servers have as their own."""

    collection = "primary_ips"
    change = PrimaryChange

    def create(self, project: Project, body: Item) -> Item:
        """Make one, assigned to a server that is off or to none."""
        wanted = read(NewPrimary, body)
        if "datacenter" in body:
            raise invalid("datacenter", "was removed; use location")
        if wanted.assignee_id is not None:
            location = project.get("servers", wanted.assignee_id)["location"]
        else:
            location = offered("locations", wanted.location, "location")["name"]
        fields = {**wanted.model_dump(), **fresh_address(project, wanted.type), "location": location}
        item = project.add(self.collection, {**fields, "assignee_id": None})
        if wanted.assignee_id is None:
            return self.answer(project, item, action=None)
        self._give(project, item, wanted.assignee_id)
        return self.answer(project, item, **self.begin(project, "create_primary_ip", item, made=self.collection))

    def show(self, project: Project, item: Item) -> Item:
        """With the whole location."""
        return {**super().show(project, item), "location": offered("locations", item["location"], "location")}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Only if its server, if it has one, is off."""
        if item["assignee_id"] is not None:
            self._must_be_off(project.get("servers", item["assignee_id"]))
        return super().delete(project, item)

    @staticmethod
    def _must_be_off(server: Item) -> None:
        if server["status"] != "off":
            raise ApiError("server_not_stopped", f"server {server['id']} must be off")

    def _give(self, project: Project, item: Item, server_id: object) -> None:
        server = project.get("servers", server_id)
        self._must_be_off(server)
        check_primary(item, server["location"], item["type"])
        if project.all(self.collection, assignee_id=server["id"], type=item["type"]):
            raise ApiError(f"server_has_{item['type']}", f"server already has an {item['type']} address")
        item["assignee_id"] = server["id"]

    def do_assign(self, project: Project, item: Item, body: Item) -> Item:
        """Give it to a server that is off."""
        self._give(project, item, body.get("assignee_id"))
        return self.begin(project, "assign_primary_ip", item, ("server", project.get("servers", item["assignee_id"])))

    def do_unassign(self, project: Project, item: Item, _body: Item) -> Item:
        """Take it from its server, which must be off."""
        if item["assignee_id"] is None:
            raise invalid("assignee_id", "the primary IP is not assigned")
        self._must_be_off(project.get("servers", item["assignee_id"]))
        item["assignee_id"] = None
        return self.begin(project, "unassign_primary_ip", item)


def check_primary(item: Item, location: str, version: str) -> None:
    """Whether a server in a location may have this primary IP as its address of a version.

    Raises:
        ApiError: if it may not.
    """
    if item["assignee_id"] is not None:
        raise ApiError("primary_ip_already_assigned", f"primary IP {item['id']} is already assigned")
    if item["type"] != version:
        raise ApiError("primary_ip_version_mismatch", f"primary IP {item['id']} is no {version} address")
    if item["location"] != location:
        raise ApiError("primary_ip_datacenter_mismatch", f"primary IP {item['id']} is in {item['location']}")


class FloatingIps(_Addresses):
    """Addresses that can be moved from server to server."""

    collection = "floating_ips"
    change = FloatingChange

    def create(self, project: Project, body: Item) -> Item:
        """Make one, assigned to a server or to none."""
        wanted = read(NewFloating, body)
        if wanted.server is None and wanted.home_location is None:
            raise invalid("home_location", "give home_location or server")
        server = project.get("servers", wanted.server) if wanted.server is not None else None
        home = server["location"] if server else offered("locations", wanted.home_location, "home_location")["name"]
        fields = {**wanted.model_dump(), **fresh_address(project, wanted.type), "home_location": home}
        item = project.add(self.collection, fields)
        if server is None:
            return self.answer(project, item, action=None)
        begun = self.begin(project, "assign_floating_ip", item, ("server", server))
        return self.answer(project, item, **begun)

    def show(self, project: Project, item: Item) -> Item:
        """With the whole location."""
        return {**super().show(project, item), "home_location": offered("locations", item["home_location"], "home")}

    def do_assign(self, project: Project, item: Item, body: Item) -> Item:
        """Move it to a server."""
        server = project.get("servers", body.get("server"))
        item["server"] = server["id"]
        return self.begin(project, "assign_floating_ip", item, ("server", server))

    def do_unassign(self, project: Project, item: Item, _body: Item) -> Item:
        """Take it from its server."""
        item["server"] = None
        return self.begin(project, "unassign_floating_ip", item)
