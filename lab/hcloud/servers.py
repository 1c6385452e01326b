"""Servers: made from a type and an image, with addresses, networks and the like; switched on and off; deleted."""

import re
import secrets
from typing import Annotated, Any

from pydantic import Field

from lab.hcloud.addresses import check_primary, fresh_address, point
from lab.hcloud.catalogue import offered
from lab.hcloud.errors import ApiError, invalid, not_found
from lab.hcloud.firewalls import firewalls_of
from lab.hcloud.kinds import Act, Body, NewBody, read
from lab.hcloud.membership import Join, Membership
from lab.hcloud.project import Item, Project
from lab.hcloud.small import PlacementGroups
from lab.hcloud.volumes import attach

HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
LONGEST_USER_DATA = 32 * 1024
LARGEST_GROUP = 10
POWER = {
    "poweron": ("start_server", "running"),
    "poweroff": ("stop_server", "off"),
    "shutdown": ("shutdown_server", "off"),
    "reboot": ("reboot_server", "running"),
    "reset": ("reset_server", "running"),
}
"""The command of each power action, and the state after it."""


class PublicNet(Body):
    """Which public addresses a new server has; ids of primary IPs, or new ones."""

    enable_ipv4: bool = True
    enable_ipv6: bool = True
    ipv4: int | None = None
    ipv6: int | None = None


class FirewallId(Body):
    """One firewall."""

    firewall: int


class NewServer(NewBody):
    """A new server."""

    server_type: int | str
    image: int | str
    location: str | None = None
    ssh_keys: list[int | str] = Field(default_factory=list)
    user_data: Annotated[str, Field(max_length=LONGEST_USER_DATA)] = ""
    start_after_create: bool = True
    volumes: list[int] = Field(default_factory=list)
    networks: list[int] = Field(default_factory=list)
    firewalls: list[FirewallId] = Field(default_factory=list)
    placement_group: int | None = None
    public_net: PublicNet = PublicNet()


class Servers(Membership):
    """Cloud servers."""

    collection = "servers"
    protects = ("delete", "rebuild")
    filters = ("name", "status")

    def create(self, project: Project, body: Item) -> Item:
        """Make a server and begin to start it."""
        if body.get("datacenter") is not None:
            raise invalid("datacenter", "was removed; use location")
        wanted = read(NewServer, body)
        item = self._add(project, wanted)
        running = {"status": "running" if wanted.start_after_create else "off"}
        begun = project.begin("create_server", ("server", item), then=running, made=self.collection)
        following = self._connect(project, item, wanted)
        if wanted.start_after_create:
            following.append(project.begin("start_server", ("server", item)))
        password = None if wanted.ssh_keys else secrets.token_urlsafe(12)
        return self.answer(project, item, action=begun, next_actions=following, root_password=password)

    def _add(self, project: Project, wanted: NewServer) -> Item:
        """The new server without addresses."""
        if not HOST_NAME.fullmatch(wanted.name):
            raise invalid("name", f"{wanted.name!r} is not a valid host name")
        kind = offered("server_types", wanted.server_type, "server_type")
        image = offered("images", wanted.image, "image", architecture=kind["architecture"])
        has_network = wanted.public_net.enable_ipv4 or wanted.public_net.enable_ipv6 or wanted.networks
        # The plugin makes a server without a public address stopped, attaches it to its networks, and starts it then.
        if wanted.start_after_create and not has_network:
            raise invalid("public_net", "the server would have no network; enable an address or give networks")
        if wanted.placement_group is not None:
            self._check_group(project, wanted.placement_group)
        fields = {
            "status": "initializing",
            "server_type": kind["name"],
            "image": image["id"],
            "location": offered("locations", wanted.location or "fsn1", "location")["name"],
            "private_net": [],
            "placement_group": wanted.placement_group,
            "protection": {"delete": False, "rebuild": False},
            "primary_disk_size": kind["disk"],
            "backup_window": None,
            "rescue_enabled": False,
            "iso": None,
            "_user_data": wanted.user_data,
            "_ssh_keys": [self._key(project, key)["id"] for key in wanted.ssh_keys],
        }
        return project.add(self.collection, {"name": wanted.name, "labels": wanted.labels, **fields})

    @staticmethod
    def _key(project: Project, wanted: int | str) -> Item:
        for key in project.all("ssh_keys"):
            if str(wanted) in {str(key["id"]), key["name"]}:
                return key
        raise not_found("ssh_key", wanted)

    @staticmethod
    def _check_group(project: Project, group: int) -> None:
        project.get("placement_groups", group)
        if len(project.all("servers", placement_group=group)) >= LARGEST_GROUP:
            raise ApiError("placement_error", f"placement group {group} has {LARGEST_GROUP} servers already")

    def _connect(self, project: Project, item: Item, wanted: NewServer) -> list[Item]:
        """Give a new server all that it has besides itself; return the actions that follow."""
        public = wanted.public_net
        for version, enabled, given in (
            ("ipv4", public.enable_ipv4, public.ipv4),
            ("ipv6", public.enable_ipv6, public.ipv6),
        ):
            if given is not None:
                address = project.get("primary_ips", given)
                check_primary(address, item["location"], version)
                address["assignee_id"] = item["id"]
            elif enabled:
                own = {"assignee_type": "server", "assignee_id": item["id"], "auto_delete": True}
                location = {"location": item["location"], "name": f"primary_ip-{project.world.next()}"}
                project.add("primary_ips", {**fresh_address(project, version), **own, **location})
        actions = []
        for network in wanted.networks:
            self.join(project, item, {"network": network})
            about = ("network", {"id": network})
            actions.append(project.begin("attach_to_network", ("server", item), about))
        for volume in wanted.volumes:
            attach(project.get("volumes", volume), item)
            actions.append(project.begin("attach_volume", ("volume", {"id": volume}), ("server", item)))
        for entry in wanted.firewalls:
            firewall = project.get("firewalls", entry.firewall)
            firewall["applied_to"] = [*firewall["applied_to"], {"type": "server", "server": {"id": item["id"]}}]
        return actions

    def show(self, project: Project, item: Item) -> Item:
        """With everything that is derived from other resources."""
        this = item["id"]
        image = offered("images", item["image"], "image")
        group = item["placement_group"]
        return {
            **super().show(project, item),
            "server_type": offered("server_types", item["server_type"], "server_type"),
            "image": image,
            "location": offered("locations", item["location"], "location"),
            "public_net": self._public_net(project, item),
            "volumes": [volume["id"] for volume in project.all("volumes", server=this)],
            "load_balancers": [
                balancer["id"]
                for balancer in project.all("load_balancers")
                if any(target.get("server") == {"id": this} for target in balancer["targets"])
            ],
            "placement_group": PlacementGroups().show(project, project.get("placement_groups", group))
            if group
            else None,
            "locked": project.busy("server", item),
            "included_traffic": 20 * 1024**4,
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
        }

    @staticmethod
    def _public_net(project: Project, item: Item) -> Item:
        addresses = {ip["type"]: ip for ip in project.all("primary_ips", assignee_id=item["id"])}
        public: Item = {"ipv4": None, "ipv6": None}
        if four := addresses.get("ipv4"):
            name = four["dns_ptr"][0]["dns_ptr"]
            public["ipv4"] = {"id": four["id"], "ip": four["ip"], "blocked": False, "dns_ptr": name}
        if six := addresses.get("ipv6"):
            public["ipv6"] = {"id": six["id"], "ip": six["ip"], "blocked": False, "dns_ptr": six["dns_ptr"]}
        floating = [ip["id"] for ip in project.all("floating_ips", server=item["id"])]
        return {**public, "floating_ips": floating, "firewalls": firewalls_of(project, item)}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Delete a server; volumes and addresses that are not its own stay, everything else forgets it."""
        self.guard(item, "delete")
        this = item["id"]
        for address in project.all("primary_ips", assignee_id=this):
            address["assignee_id"] = None
            if address["auto_delete"]:
                del project.table("primary_ips")[address["id"]]
        for other in (*project.all("volumes", server=this), *project.all("floating_ips", server=this)):
            other["server"] = None
        for collection, field in (("firewalls", "applied_to"), ("load_balancers", "targets")):
            for holder in project.all(collection):
                holder[field] = [entry for entry in holder[field] if entry.get("server") != {"id": this}]
        super().delete(project, item)
        return self.begin(project, "delete_server", item)

    def action(self, name: str) -> Act | None:
        """The power actions besides the methods."""
        if name not in POWER:
            return super().action(name)
        command, status = POWER[name]

        def switch(project: Project, item: Item, _body: Item) -> Item:
            return self.begin(project, command, item, then={"status": status})

        return switch

    def do_rebuild(self, project: Project, item: Item, body: Item) -> Item:
        """Overwrite the disk with an image."""
        self.guard(item, "rebuild")
        kind = offered("server_types", item["server_type"], "server_type")
        item["image"] = offered("images", body.get("image"), "image", architecture=kind["architecture"])["id"]
        begun = self.begin(project, "rebuild_server", item, then={"status": "running"})
        return {**begun, "root_password": None if item["_ssh_keys"] else secrets.token_urlsafe(12)}

    def do_change_type(self, project: Project, item: Item, body: Item) -> Item:
        """Make a server that is off larger or smaller; its disk never shrinks."""
        if item["status"] != "off":
            raise ApiError("server_not_stopped", f"server {item['id']} must be off")
        architecture = offered("server_types", item["server_type"], "server_type")["architecture"]
        kind = offered("server_types", body.get("server_type"), "server_type")
        if kind["architecture"] != architecture or kind["disk"] < item["primary_disk_size"]:
            raise ApiError("invalid_server_type", f"{kind['name']} does not fit for server {item['id']}")
        item["server_type"] = kind["name"]
        if body.get("upgrade_disk"):
            item["primary_disk_size"] = kind["disk"]
        return self.begin(project, "change_server_type", item)

    def do_enable_rescue(self, project: Project, item: Item, _body: Item) -> Item:
        """Have the next boot start the rescue system."""
        item["rescue_enabled"] = True
        return {**self.begin(project, "enable_rescue", item), "root_password": secrets.token_urlsafe(12)}

    def do_disable_rescue(self, project: Project, item: Item, _body: Item) -> Item:
        """Have the next boot start the disk."""
        return self._set(project, item, "disable_rescue", rescue_enabled=False)

    def do_enable_backup(self, project: Project, item: Item, _body: Item) -> Item:
        """Have backups made every night."""
        return self._set(project, item, "enable_backup", backup_window="22-02")

    def do_disable_backup(self, project: Project, item: Item, _body: Item) -> Item:
        """Have no backups."""
        return self._set(project, item, "disable_backup", backup_window=None)

    def do_attach_iso(self, project: Project, item: Item, body: Item) -> Item:
        """Put a medium in."""
        return self._set(project, item, "attach_iso", iso=offered("isos", body.get("iso"), "iso"))

    def do_detach_iso(self, project: Project, item: Item, _body: Item) -> Item:
        """Take the medium out."""
        return self._set(project, item, "detach_iso", iso=None)

    def do_add_to_placement_group(self, project: Project, item: Item, body: Item) -> Item:
        """Put a server that is off into a group."""
        if item["status"] != "off":
            raise ApiError("server_not_stopped", f"server {item['id']} must be off")
        group = project.get("placement_groups", body.get("placement_group"))["id"]
        self._check_group(project, group)
        return self._set(project, item, "add_to_placement_group", placement_group=group)

    def do_remove_from_placement_group(self, project: Project, item: Item, _body: Item) -> Item:
        """Take a server out of its group."""
        return self._set(project, item, "remove_from_placement_group", placement_group=None)

    def _set(self, project: Project, item: Item, command: str, **fields: Any) -> Item:
        item.update(fields)
        return self.begin(project, command, item)

    def do_change_dns_ptr(self, project: Project, item: Item, body: Item) -> Item:
        """Set the name of one of the server's addresses."""
        version = "ipv6" if ":" in str(body.get("ip")) else "ipv4"
        for address in project.all("primary_ips", assignee_id=item["id"], type=version):
            point(address, str(body.get("ip")), body.get("dns_ptr"))
            return self.begin(project, "change_dns_ptr", item)
        raise not_found("ip", body.get("ip"))

    def do_change_alias_ips(self, project: Project, item: Item, body: Item) -> Item:
        """Replace a server's further addresses in a network."""
        wanted = read(Join, body)
        self._part(item, wanted.network)
        part = next(part for part in item["private_net"] if part["network"] == wanted.network)
        zone = offered("locations", item["location"], "location")["network_zone"]
        network = project.get("networks", wanted.network)
        self._alias(project, network, part, wanted.alias_ips, zone)
        return self.begin(project, "change_alias_ips", item, ("network", network))
