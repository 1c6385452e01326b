"""Firewalls: rules, and the servers that they are applied to by id or by label."""

import ipaddress
from typing import Annotated, Literal

from pydantic import Field

from lab.hcloud.errors import ApiError, invalid
from lab.hcloud.kinds import Body, Kind, NewBody, read
from lab.hcloud.labels import matches
from lab.hcloud.project import Item, Project

HIGHEST_PORT = 65_535


class Rule(Body):
    """One rule."""

    direction: Literal["in", "out"]
    protocol: Literal["tcp", "udp", "icmp", "esp", "gre"]
    port: str | None = None
    source_ips: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    destination_ips: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    description: Annotated[str, Field(max_length=255)] | None = None


class ById(Body):
    """A server."""

    id: int


class BySelector(Body):
    """Servers by label."""

    selector: str


class Resource(Body):
    """What a firewall is applied to."""

    type: Literal["server", "label_selector"]
    server: ById | None = None
    label_selector: BySelector | None = None


class Rules(Body):
    """All rules of a firewall."""

    rules: Annotated[list[Rule], Field(max_length=50)] = Field(default_factory=list)


class NewFirewall(NewBody, Rules):
    """A new firewall."""

    apply_to: list[Resource] = Field(default_factory=list)


def _checked(rules: Rules) -> list[Item]:
    """The rules as they are kept, or the error that the API answers."""
    for number, rule in enumerate(rules.rules):
        ranges, field = (
            (rule.source_ips, "source_ips") if rule.direction == "in" else (rule.destination_ips, "destination_ips")
        )
        if not ranges:
            raise invalid(f"rules.{number}.{field}", f"is needed for the direction {rule.direction}")
        for text in ranges:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise invalid(f"rules.{number}.{field}", f"{text!r}: {error}") from error
        if (rule.port is not None) != (rule.protocol in {"tcp", "udp"}):
            raise invalid(f"rules.{number}.port", "is needed for tcp and udp, and for nothing else")
        if rule.port is not None and rule.port != "any":
            _check_ports(rule.port, f"rules.{number}.port")
    return [rule.model_dump() for rule in rules.rules]


def _check_ports(text: str, field: str) -> None:
    ends = text.split("-")
    if not all(end.isdecimal() and 1 <= int(end) <= HIGHEST_PORT for end in ends):
        raise invalid(field, f"{text!r} is no port or range of ports")
    if [int(end) for end in ends] != sorted({int(end) for end in ends}) or len(ends) > 2:  # noqa: PLR2004 - from, to
        raise invalid(field, f"{text!r} is no range of ports")


def kept(resource: Resource) -> Item:
    """A resource as it is kept and shown: its type and what names it."""
    return resource.model_dump(exclude_none=True)


def selected(project: Project, selector: str) -> list[Item]:
    """The servers that a selector chooses."""
    return [server for server in project.all("servers") if matches(selector, server["labels"])]


def firewalls_of(project: Project, server: Item) -> list[Item]:
    """The firewalls that hold for a server, by id or by label."""
    found = []
    for firewall in project.all("firewalls"):
        direct = {"type": "server", "server": {"id": server["id"]}} in firewall["applied_to"]
        chosen = [item["label_selector"]["selector"] for item in firewall["applied_to"] if "label_selector" in item]
        if direct or any(matches(selector, server["labels"]) for selector in chosen):
            found.append({"id": firewall["id"], "status": "applied"})
    return found


class Firewalls(Kind):
    """Firewalls."""

    collection = "firewalls"

    def create(self, project: Project, body: Item) -> Item:
        """Make one and apply it."""
        wanted = read(NewFirewall, body)
        fields = {"name": wanted.name, "labels": wanted.labels, "rules": _checked(wanted), "applied_to": []}
        item = project.add(self.collection, fields)
        actions = [project.begin("set_firewall_rules", (self.singular, item))]
        actions += [self._apply(project, item, resource) for resource in wanted.apply_to]
        return self.answer(project, item, actions=actions)

    def show(self, project: Project, item: Item) -> Item:
        """With the servers behind each selector."""
        applied = [
            resource
            if resource["type"] == "server"
            else {
                **resource,
                "applied_to_resources": [
                    {"type": "server", "server": {"id": server["id"]}}
                    for server in selected(project, resource["label_selector"]["selector"])
                ],
            }
            for resource in item["applied_to"]
        ]
        return {**super().show(project, item), "applied_to": applied}

    def delete(self, project: Project, item: Item) -> Item | None:
        """Only if it is applied to nothing."""
        if item["applied_to"]:
            raise ApiError("resource_in_use", f"firewall with ID '{item['id']}' is still in use")
        return super().delete(project, item)

    def do_set_rules(self, project: Project, item: Item, body: Item) -> Item:
        """Replace all rules."""
        item["rules"] = _checked(read(Rules, body))
        actions = [project.begin("set_firewall_rules", (self.singular, item))]
        servers = [resource["server"] for resource in item["applied_to"] if resource["type"] == "server"]
        actions += [project.begin("apply_firewall", (self.singular, item), ("server", server)) for server in servers]
        return {"actions": actions}

    def do_apply_to_resources(self, project: Project, item: Item, body: Item) -> Item:
        """Apply it to more."""
        wanted = _resources(body, "apply_to")
        return {"actions": [self._apply(project, item, resource) for resource in wanted]}

    def do_remove_from_resources(self, project: Project, item: Item, body: Item) -> Item:
        """Take it from some."""
        actions = []
        for resource in _resources(body, "remove_from"):
            if kept(resource) not in item["applied_to"]:
                raise ApiError("firewall_already_removed", "firewall is not applied to this resource")
            item["applied_to"] = [other for other in item["applied_to"] if other != kept(resource)]
            actions.append(project.begin("remove_firewall", (self.singular, item), *_about(resource)))
        return {"actions": actions}

    def _apply(self, project: Project, item: Item, resource: Resource) -> Item:
        if resource.type == "server" and resource.server is not None:
            server = project.table("servers").get(resource.server.id)
            if server is None:
                raise ApiError("firewall_resource_not_found", f"server {resource.server.id} not found")
            if not project.all("primary_ips", assignee_id=server["id"]):
                raise ApiError("private_net_only_server", f"server {server['id']} has no public address")
        elif resource.label_selector is not None:
            matches(resource.label_selector.selector, {})
        else:
            raise invalid("apply_to", f"the resource of type {resource.type} is missing")
        if kept(resource) in item["applied_to"]:
            raise ApiError("firewall_already_applied", "firewall is already applied to this resource")
        item["applied_to"] = [*item["applied_to"], kept(resource)]
        return project.begin("apply_firewall", (self.singular, item), *_about(resource))


def _about(resource: Resource) -> list[tuple[str, Item]]:
    return [("server", {"id": resource.server.id})] if resource.server is not None else []


def _resources(body: Item, field: str) -> list[Resource]:
    given = body.get(field)
    if not isinstance(given, list) or not given:
        raise invalid(field, "must be a list with something in it")
    return [read(Resource, item) for item in given]
