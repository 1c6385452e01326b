"""What a request to the API does: finds the kind, the resource and the action, and answers. No framework."""

import math
from functools import partial
from typing import Any

from lab.hcloud.addresses import FloatingIps, PrimaryIps
from lab.hcloud.catalogue import OFFERED
from lab.hcloud.certificates import Certificates
from lab.hcloud.errors import ApiError, invalid, not_found
from lab.hcloud.firewalls import Firewalls
from lab.hcloud.kinds import Kind
from lab.hcloud.labels import matches
from lab.hcloud.load_balancers import LoadBalancers
from lab.hcloud.networks import Networks, listed
from lab.hcloud.project import LIGHT, Item, Project, shown
from lab.hcloud.servers import Servers
from lab.hcloud.small import PlacementGroups, SshKeys
from lab.hcloud.volumes import Volumes

KINDS: dict[str, Kind] = {
    kind.collection: kind
    for kind in (
        Servers(),
        Networks(),
        Firewalls(),
        LoadBalancers(),
        Volumes(),
        PrimaryIps(),
        FloatingIps(),
        PlacementGroups(),
        SshKeys(),
        Certificates(),
    )
}
PER_PAGE, MOST_PER_PAGE = 25, 50
QUEUED = frozenset({"network", "load_balancer"})
"""Kinds whose running action answers ``conflict``, which clients retry, and not ``locked``."""

Query = dict[str, list[str]]


def page_of(collection: str, items: list[Item], query: Query) -> Item:
    """One page of a list in the wanted order, with the ``meta`` that clients turn pages by."""
    numbers = {}
    for name, default in (("page", 1), ("per_page", PER_PAGE)):
        text = query.get(name, [str(default)])[0]
        if not text.isdecimal() or int(text) < 1:
            raise invalid(name, f"{text!r} is no positive number")
        numbers[name] = int(text)
    page, per_page = numbers["page"], min(numbers["per_page"], MOST_PER_PAGE)
    for order in reversed(query.get("sort", [])):
        field, _, direction = order.partition(":")
        items = sorted(items, key=partial(_in_order, field), reverse=direction == "desc")
    last = max(1, math.ceil(len(items) / per_page))
    meta = {
        "page": page,
        "per_page": per_page,
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if page < last else None,
        "last_page": last,
        "total_entries": len(items),
    }
    return {collection: items[(page - 1) * per_page : page * per_page], "meta": {"pagination": meta}}


def _in_order(field: str, item: Item) -> str:
    """What items are put in order by: numbers by value, texts by letters."""
    return str(item.get(field, "")).zfill(20)


def _passes(item: Item, fields: tuple[str, ...], query: Query) -> bool:
    if any(str(item.get(field)) not in query[field] for field in fields if field in query):
        return False
    return all(matches(selector, item.get("labels", {})) for selector in query.get("label_selector", []) if selector)


class Desk:
    """The API of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def list(self, collection: str, query: Query) -> Item:
        """All of a collection that pass the filters, a page of them."""
        if collection == "actions":
            return self.actions(query)
        if collection in OFFERED:
            fields = ("name", "type", "architecture", "status")
            return page_of(collection, [i for i in OFFERED[collection] if _passes(i, fields, query)], query)
        kind = self._kind(collection)
        found = [item for item in self._project.all(collection) if _passes(item, kind.filters, query)]
        return page_of(collection, [kind.show(self._project, item) for item in found], query)

    def get(self, collection: str, identity: str) -> Item:
        """One resource."""
        if collection == "actions":
            return {"action": self._action(identity)}
        for item in OFFERED.get(collection, []):
            if str(item["id"]) == identity:
                return {collection.removesuffix("s"): item}
        kind = self._kind(collection)
        return kind.answer(self._project, self._project.get(collection, identity))

    def create(self, collection: str, body: Item) -> Item:
        """Make a resource."""
        with self._project.whole_or_nothing():
            return self._told(self._kind(collection).create(self._project, body))

    def update(self, collection: str, identity: str, body: Item) -> Item:
        """Change a resource in place."""
        item = self._project.get(collection, identity)
        with self._project.whole_or_nothing():
            return self._kind(collection).update(self._project, item, body)

    def delete(self, collection: str, identity: str) -> Item | None:
        """Remove a resource; None for an answer without content."""
        kind, item = self._kind(collection), self._project.get(collection, identity)
        self._free(kind, item)
        with self._project.whole_or_nothing():
            answer = kind.delete(self._project, item)
            return None if answer is None else self._told(answer)

    def act(self, collection: str, identity: str, name: str, body: Item) -> Item:
        """Begin an action on a resource."""
        kind, item = self._kind(collection), self._project.get(collection, identity)
        action = kind.action(name)
        if action is None:
            raise ApiError("not_found", f"action '{name}' not found")
        if name not in LIGHT:
            self._free(kind, item)
        with self._project.whole_or_nothing():
            return self._told(action(self._project, item, body))

    def actions(self, query: Query, kind: str | None = None, identity: str | None = None) -> Item:
        """The project's actions, of one resource or kind or of all, that pass the filters."""
        found = [
            shown(action)
            for action in self._project.actions.values()
            if _passes(action, ("id", "status"), query)
            and (kind is None or any(self._is(entry, kind, identity) for entry in action["resources"]))
        ]
        return page_of("actions", found, query)

    def members(self, network: str, query: Query) -> Item:
        """Who is in a network, a page of them."""
        found = listed(self._project, self._project.get("networks", network))
        return page_of("members", [item for item in found if _passes(item, ("type", "status", "subnet"), query)], query)

    def actions_of(self, collection: str, identity: str | None, query: Query) -> Item:
        """The actions on one resource of a collection, or on all of them."""
        kind = self._kind(collection)
        if identity is not None:
            self._project.get(collection, identity)
        return self.actions(query, kind.singular, identity)

    def _action(self, identity: str) -> Item:
        action = self._project.actions.get(int(identity)) if identity.isdecimal() else None
        if action is None:
            raise not_found("action", identity)
        return shown(action)

    def _free(self, kind: Kind, item: Item) -> None:
        if self._project.busy(kind.singular, item):
            code = "conflict" if kind.singular in QUEUED else "locked"
            raise ApiError(code, f"{kind.singular.replace('_', ' ')} {item['id']} has an action that runs")

    @staticmethod
    def _is(entry: Item, kind: str, identity: str | None) -> bool:
        return entry["type"] == kind and identity in {None, str(entry["id"])}

    @staticmethod
    def _kind(collection: str) -> Kind:
        if collection == "datacenters":
            raise ApiError("deprecated_api_endpoint", "datacenters were removed; use locations")
        if collection not in KINDS:
            raise ApiError("not_found", f"route '/{collection}' not found")
        return KINDS[collection]

    @staticmethod
    def _told(answer: Item) -> Item:
        """An answer whose actions show nothing that is ours only."""

        def told(value: Any) -> Any:
            if isinstance(value, list):
                return [told(item) for item in value]
            return shown(value) if isinstance(value, dict) else value

        return {key: told(value) for key, value in answer.items()}
