"""Load balancers: services, targets and what the health checks say."""

from typing import Literal

from pydantic import Field

from lab.hcloud.addresses import default_name, point
from lab.hcloud.balancer_parts import Service, Target, merged
from lab.hcloud.catalogue import LOCATIONS, offered
from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.firewalls import selected
from lab.hcloud.kinds import Body, NewBody, read
from lab.hcloud.membership import Membership
from lab.hcloud.project import Item, Project


class Algorithm(Body):
    """How a target is chosen."""

    type: Literal["round_robin", "least_connections"] = "round_robin"


class NewBalancer(NewBody):
    """A new load balancer."""

    load_balancer_type: int | str
    algorithm: Algorithm = Algorithm()
    location: str | None = None
    network_zone: str | None = None
    public_interface: bool = True
    network: int | None = None
    services: list[Service] = Field(default_factory=list)
    targets: list[Target] = Field(default_factory=list)


class LoadBalancers(Membership):
    """Load balancers."""

    collection = "load_balancers"
    protects = ("delete",)

    def create(self, project: Project, body: Item) -> Item:
        """Make one with its services and targets."""
        wanted = read(NewBalancer, body)
        kind = offered("load_balancer_types", wanted.load_balancer_type, "load_balancer_type")
        four, six = project.world.address("ipv4"), project.world.address("ipv6")
        fields = {
            "load_balancer_type": kind["name"],
            "location": self._place(wanted),
            "algorithm": wanted.algorithm.model_dump(),
            "private_net": [],
            "services": [],
            "targets": [],
            "protection": {"delete": False},
            "_public": wanted.public_interface,
            "_ipv4": {"type": "ipv4", "ip": four, "dns_ptr": [{"ip": four, "dns_ptr": default_name(four)}]},
            "_ipv6": {"type": "ipv6", "ip": six, "dns_ptr": []},
        }
        item = project.add(self.collection, {"name": wanted.name, "labels": wanted.labels, **fields})
        if wanted.network is not None:
            self.join(project, item, {"network": wanted.network})
        for service in wanted.services:
            self._add_service(project, item, service)
        for target in wanted.targets:
            self._add_target(project, item, target)
        begun = self.begin(project, "create_load_balancer", item, made=self.collection)
        return self.answer(project, item, **begun)

    @staticmethod
    def _place(wanted: NewBalancer) -> str:
        """The location: the given one, or the first of the given zone."""
        if (wanted.location is None) == (wanted.network_zone is None):
            raise invalid("location", "give either location or network_zone")
        if wanted.location is not None:
            return str(offered("locations", wanted.location, "location")["name"])
        for location in LOCATIONS:
            if location["network_zone"] == wanted.network_zone:
                return str(location["name"])
        raise invalid("network_zone", f"{wanted.network_zone!r} does not exist")

    def show(self, project: Project, item: Item) -> Item:
        """With the health of its targets and all that is derived."""
        four, six = item["_ipv4"], item["_ipv6"]
        public = {
            "enabled": item["_public"],
            "ipv4": {"ip": four["ip"], "dns_ptr": four["dns_ptr"][0]["dns_ptr"]},
            "ipv6": {
                "ip": six["ip"].replace("::/64", "::1"),
                "dns_ptr": next((entry["dns_ptr"] for entry in six["dns_ptr"]), None),
            },
        }
        return {
            **super().show(project, item),
            "load_balancer_type": offered("load_balancer_types", item["load_balancer_type"], "load_balancer_type"),
            "location": offered("locations", item["location"], "location"),
            "public_net": public,
            "targets": [self._target(project, item, target) for target in item["targets"]],
            "included_traffic": 20 * 1024**4,
            "outgoing_traffic": 0,
            "ingoing_traffic": 0,
        }

    def _target(self, project: Project, item: Item, target: Item) -> Item:
        if target["type"] == "label_selector":
            chosen = selected(project, target["label_selector"]["selector"])
            alike = {"type": "server", "use_private_ip": target["use_private_ip"]}
            servers = [{**alike, "server": {"id": server["id"]}} for server in chosen]
            return {**target, "targets": [self._target(project, item, server) for server in servers]}
        status = "unknown"
        if target["type"] == "server":
            status = "healthy" if project.get("servers", target["server"]["id"])["status"] == "running" else "unhealthy"
        health = [{"listen_port": service["listen_port"], "status": status} for service in item["services"]]
        return {**target, "health_status": health}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Unless it is protected."""
        self.guard(item, "delete")
        super().delete(project, item)
        return self.begin(project, "delete_load_balancer", item)

    def do_add_service(self, project: Project, item: Item, body: Item) -> Item:
        """Add a service."""
        self._add_service(project, item, read(Service, body))
        return self.begin(project, "add_service", item)

    def _add_service(self, project: Project, item: Item, wanted: Service) -> None:
        service = self._checked(project, merged({}, wanted))
        if any(other["listen_port"] == service["listen_port"] for other in item["services"]):
            raise ApiError("source_port_already_used", f"port {service['listen_port']} is already used")
        most = offered("load_balancer_types", item["load_balancer_type"], "type")["max_services"]
        if len(item["services"]) >= most:
            raise ApiError("resource_limit_exceeded", f"a {item['load_balancer_type']} has at most {most} services")
        item["services"] = [*item["services"], service]

    @staticmethod
    def _checked(project: Project, service: Item) -> Item:
        for certificate in (service.get("http") or {}).get("certificates", []):
            project.get("certificates", certificate)
        return service

    def do_update_service(self, project: Project, item: Item, body: Item) -> Item:
        """Change the service at a port."""
        wanted = read(Service, body)
        old = self._service(item, wanted.listen_port)
        changed = self._checked(project, merged(old, wanted))
        item["services"] = [changed if other is old else other for other in item["services"]]
        return self.begin(project, "update_service", item)

    def do_delete_service(self, project: Project, item: Item, body: Item) -> Item:
        """Remove the service at a port."""
        old = self._service(item, body.get("listen_port"))
        item["services"] = [other for other in item["services"] if other is not old]
        return self.begin(project, "delete_service", item)

    @staticmethod
    def _service(item: Item, port: object) -> Item:
        for service in item["services"]:
            if service["listen_port"] == port:
                found: Item = service
                return found
        raise ApiError("not_found", f"service with listen port '{port}' not found")

    def do_add_target(self, project: Project, item: Item, body: Item) -> Item:
        """Add a target."""
        self._add_target(project, item, read(Target, body))
        return self.begin(project, "add_target", item)

    def _add_target(self, project: Project, item: Item, wanted: Target) -> None:
        if getattr(wanted, wanted.type) is None:
            raise invalid(wanted.type, f"is needed for a target of type {wanted.type}")
        target = wanted.model_dump(include={"type", "use_private_ip", wanted.type})
        if any(self._name(other) == self._name(target) for other in item["targets"]):
            raise ApiError("target_already_defined", "load balancer target is already defined")
        if wanted.use_private_ip and not item["private_net"]:
            raise ApiError("load_balancer_not_attached_to_network", "load balancer is not attached to a network")
        if wanted.server is not None:
            server = project.get("servers", wanted.server.id)
            networks = {part["network"] for part in item["private_net"]}
            if wanted.use_private_ip and not networks & {part["network"] for part in server["private_net"]}:
                message = f"server {server['id']} is in none of the load balancer's networks"
                raise ApiError("server_not_attached_to_network", message)
            if not wanted.use_private_ip and not project.all("primary_ips", assignee_id=server["id"], type="ipv4"):
                raise ApiError("missing_ipv4", f"server {server['id']} has no public IPv4 address")
        item["targets"] = [*item["targets"], target]

    @staticmethod
    def _name(target: Item) -> Item:
        return {key: value for key, value in target.items() if key != "use_private_ip"}

    def do_remove_target(self, project: Project, item: Item, body: Item) -> Item:
        """Remove a target."""
        wanted = read(Target, body)
        gone = self._name(wanted.model_dump(include={"type", wanted.type}))
        left = [target for target in item["targets"] if self._name(target) != gone]
        if len(left) == len(item["targets"]):
            raise ApiError("not_found", "load balancer target not found")
        item["targets"] = left
        return self.begin(project, "remove_target", item)

    def do_change_algorithm(self, project: Project, item: Item, body: Item) -> Item:
        """Choose targets in another way."""
        item["algorithm"] = read(Algorithm, body).model_dump()
        return self.begin(project, "change_algorithm", item)

    def do_change_type(self, project: Project, item: Item, body: Item) -> Item:
        """Make it larger or smaller, as long as its services fit."""
        kind = offered("load_balancer_types", body.get("load_balancer_type"), "load_balancer_type")
        if len(item["services"]) > kind["max_services"]:
            raise ApiError("invalid_load_balancer_type", f"{kind['name']} has too few services")
        item["load_balancer_type"] = kind["name"]
        return self.begin(project, "change_load_balancer_type", item)

    def do_enable_public_interface(self, project: Project, item: Item, _body: Item) -> Item:
        """Be reachable from outside."""
        item["_public"] = True
        return self.begin(project, "enable_public_interface", item)

    def do_disable_public_interface(self, project: Project, item: Item, _body: Item) -> Item:
        """Be reachable in the private network only."""
        item["_public"] = False
        return self.begin(project, "disable_public_interface", item)

    def do_change_dns_ptr(self, project: Project, item: Item, body: Item) -> Item:
        """Set the name of one of its addresses."""
        point(item["_ipv6" if ":" in str(body.get("ip")) else "_ipv4"], str(body.get("ip")), body.get("dns_ptr"))
        return self.begin(project, "change_dns_ptr", item)
