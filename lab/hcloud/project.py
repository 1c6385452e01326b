"""One project's resources and actions, and the world that its addresses and ids come from. No I/O, no framework."""

import copy
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.faults.rules import Fault, FaultKind, FaultTable
from lab.hcloud.errors import ApiError, not_found

Item = dict[str, Any]
Tables = dict[str, dict[int, Item]]

PUBLIC_IPV4 = ipaddress.IPv4Network("198.18.0.0/15")
"""Reserved for measurements (RFC 2544), so never anybody's."""
PUBLIC_IPV6 = ipaddress.IPv6Network("3fff:c10::/32")
"""Part of the documentation range of RFC 9637; each resource gets a /64."""
LIGHT = frozenset({"change_dns_ptr", "change_protection"})
"""Actions that neither lock a resource nor wait for one that does: they change a record about it, not the thing."""
ACTION_KINDS = frozenset({FaultKind.TASK_ERROR, FaultKind.TASK_STUCK})


@dataclass
class World:
    """What all projects share. ``clock`` gives seconds of the calendar; ``delay`` is how long actions take, in seconds.

    Ids and addresses are given out once and never again, as the API does: a stale id never means something else.
    """

    clock: Callable[[], float]
    faults: FaultTable
    delay: float = 0.0
    last: dict[str, int] = field(default_factory=lambda: {"id": 1000, "ipv4": 9, "ipv6": 0, "mac": 0})

    def next(self, what: str = "id") -> int:
        """The next number of a series."""
        self.last[what] += 1
        return self.last[what]

    def address(self, version: str) -> str:
        """A new public IPv4 address, or IPv6 network of 64 bits."""
        number = self.next(version)
        if version == "ipv4":
            return str(PUBLIC_IPV4[number])
        return f"{PUBLIC_IPV6[number << 64]}/64"

    def stamp(self, when: float | None = None) -> str:
        """A moment as the API writes it; now if none is given."""
        return datetime.fromtimestamp(self.clock() if when is None else when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def fault(self, command: str) -> Fault | None:
        """The rule that hits an action, by its command."""
        return self.faults.take(ACTION_KINDS, "", "POST", command)


@dataclass
class Project:
    """The resources of one token, by collection and id."""

    world: World
    tables: Tables = field(default_factory=dict)
    actions: dict[int, Item] = field(default_factory=dict)

    def table(self, collection: str) -> dict[int, Item]:
        """All resources of a collection by id, oldest first."""
        return self.tables.setdefault(collection, {})

    def get(self, collection: str, identity: object) -> Item:
        """One resource.

        Raises:
            ApiError: ``not_found``.
        """
        item = self.table(collection).get(int(str(identity))) if str(identity).isdecimal() else None
        if item is None:
            raise not_found(collection.removesuffix("s"), identity)
        return item

    def all(self, collection: str, **wanted: Any) -> list[Item]:
        """The resources of a collection whose fields have these values."""
        return [item for item in self.table(collection).values() if all(item[k] == v for k, v in wanted.items())]

    def add(self, collection: str, fields: Item) -> Item:
        """Take in a new resource with its id and time.

        Raises:
            ApiError: ``uniqueness_error`` if another of the collection has the name.
        """
        identity = self.world.next()
        item = {"id": identity, "created": self.world.stamp(), "labels": {}, **fields}
        item["name"] = item.get("name") or f"{collection.removesuffix('s')}-{identity}"
        self.check_name(collection, item["name"])
        self.table(collection)[identity] = item
        return item

    def check_name(self, collection: str, name: str, besides: int | None = None) -> None:
        """Raise ``uniqueness_error`` if another resource of the collection has the name."""
        if any(item["name"] == name and item["id"] != besides for item in self.table(collection).values()):
            kind = collection.removesuffix("s").replace("_", " ")
            raise ApiError("uniqueness_error", f"{kind} name is already used")

    @contextmanager
    def whole_or_nothing(self) -> Iterator[None]:
        """Have everything as it was if the block ends in an error, or begins an action that is to fail."""
        before, last = copy.deepcopy(self.tables), max(self.actions, default=0)
        try:
            yield
        except ApiError:
            self.tables = before
            self.actions = {number: action for number, action in self.actions.items() if number <= last}
            raise
        begun = [action for number, action in self.actions.items() if number > last]
        if any(action["_error"] and not action["_made"] and not action["_otherwise"] for action in begun):
            self.tables = before

    def begin(
        self,
        command: str,
        *about: tuple[str, Item],
        then: Item | None = None,
        otherwise: Item | None = None,
        made: str = "",
    ) -> Item:
        """Begin an action and return it. If it is to fail, what the request changed is as before.

        Args:
            command: what the API calls it.
            about: type and resource, first the one that is locked meanwhile.
            then: fields that the first resource has once the action has succeeded.
            otherwise: fields that it has once the action has failed; the rest of the change stays.
            made: the collection of the first resource if the action makes it: if it fails, the resource goes again.
        """
        number, now, fault = self.world.next(), self.world.clock(), self.world.fault(command)
        failing = fault if fault is not None and fault.kind is FaultKind.TASK_ERROR else None
        action = {
            "id": number,
            "command": command,
            "status": "running",
            "progress": 0,
            "started": self.world.stamp(now),
            "finished": None,
            "error": None,
            "resources": [{"id": item["id"], "type": kind} for kind, item in about],
            "_ends": now + self.world.delay,
            "_stuck": fault.id if fault is not None and failing is None else None,
            "_error": {"code": "action_failed", "message": failing.message} if failing else None,
            "_made": made,
            "_leave": failing is not None and failing.leave_guest,
            "_then": then or {},
            "_otherwise": otherwise or {},
        }
        self.actions[number] = action
        return action

    def settle(self) -> None:
        """End every action whose time has come, and have what follows from it."""
        rules = {fault.id for fault in self.world.faults.all()}
        for action in self.actions.values():
            if (
                action["status"] == "running"
                and action["_stuck"] not in rules
                and action["_ends"] <= self.world.clock()
            ):
                self._end(action)

    def _end(self, action: Item) -> None:
        action.update(progress=100, finished=self.world.stamp(), status="success")
        first = action["resources"][0]
        table = self.table(f"{first['type']}s")
        if action["_error"]:
            action.update(status="error", error=action["_error"])
        if first["id"] not in table:
            return
        table[first["id"]].update(action["_otherwise" if action["_error"] else "_then"])
        if action["_error"] and action["_made"] and not action["_leave"]:
            del table[first["id"]]

    def busy(self, kind: str, item: Item, command: str = "") -> bool:
        """Whether an action on this resource runs, that of a command or any that locks."""
        this = {"id": item["id"], "type": kind}
        running = (a for a in self.actions.values() if a["status"] == "running" and a["command"] not in LIGHT)
        return any(action["resources"][0] == this and command in {"", action["command"]} for action in running)

    def remembered(self) -> Item:
        """Everything, as plain data."""
        return {"tables": self.tables, "actions": self.actions}


def shown(item: Item) -> Item:
    """An item without the fields that are ours only, whose names begin with an underscore."""
    return {key: value for key, value in item.items() if not key.startswith("_")}
