"""What a node has already, so that a create whose answer was lost is taken over by the next run.

The engine keeps nothing of a create that failed, and Proxmox VE refuses a second thing of the same name: without a look
first, each such accident would need ``pulumi import`` by hand.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import pulumi

from components.pve_access.errors import AccessError

Kind = Literal["role", "user", "pool", "storage", "metric server", "zone", "vnet", "virtual machine"]
Ask = Callable[[str], list[Mapping[str, Any]]]
"""Sends the node one GET and returns its ``data``; raises AccessError."""

_LISTS: Mapping[Kind, tuple[str, str]] = {
    "role": ("/access/roles", "roleid"),
    "user": ("/access/users", "userid"),
    "pool": ("/pools", "poolid"),
    "storage": ("/storage", "storage"),
    "metric server": ("/cluster/metrics/server", "id"),
    "virtual machine": ("/nodes/{node}/qemu", "vmid"),
    "zone": ("/cluster/sdn/zones", "zone"),
    "vnet": ("/cluster/sdn/vnets", "vnet"),
}
"""Where a kind is listed, and what its things are told apart by."""


class NodeThings:
    """The things that are on one node, by kind. The first question about a kind blocks for one request.

    Args:
        node: its name.
        ask: None stands for a node on which nothing is, such as a server that is to be installed first.
    """

    def __init__(self, node: str, ask: Ask | None = None) -> None:
        self._node, self._ask = node, ask
        self._found: dict[str, list[Mapping[str, Any]]] = {}

    def interfaces(self) -> dict[str, str]:
        """Return the interfaces that are written on the node, with their IPv4 addresses; empty for those without."""
        return {item["iface"]: item.get("cidr", "") for item in self._list(f"/nodes/{self._node}/network")}

    def vnet(self, zone: str, alias: str) -> str | None:
        """Return the id of a zone's only vnet of this alias."""
        found = [item for item in self._list(_LISTS["vnet"][0]) if (item["zone"], item.get("alias")) == (zone, alias)]
        return found[0]["vnet"] if len(found) == 1 else None

    def find(self, kind: Kind, name: str) -> Mapping[str, Any] | None:
        """Return what the node says of a thing; None if it has none of this name.

        Raises:
            pulumi.RunError: if the node does not answer.
        """
        path, key = _LISTS[kind]
        found = [item for item in self._list(path.format(node=self._node)) if str(item[key]) == name]
        return found[0] if found else None

    def take_over(
        self, kind: Kind, name: str, wanted: Mapping[str, object], opts: pulumi.ResourceOptions
    ) -> pulumi.ResourceOptions:
        """Return the options for a thing: with its name as id for import if it is there and is what is wanted.

        The engine ignores an id that it knows, so this is only for kinds whose id in the state is their name. What is
        there but is another is told with its differences, and left to be refused by the node if it is to be made a
        second time: whether it is known is in the state, which a program does not see.

        Args:
            kind: of the thing.
            name: it is told apart by.
            wanted: settings as the node lists them; a frozenset stands for a list whose order does not matter.
            opts: of the thing, when it is made.
        """
        others = self._others(kind, name, wanted)
        if others is None:
            return opts
        if not others:
            return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(import_=name))
        pulumi.log.warn(
            f"the node '{self._node}' has a {kind} '{name}' that is not as wanted: {'; '.join(others)}. If this stack "
            "has made it, 'up --refresh' puts it right; if somebody else has, it is not touched, and making it is "
            "refused: remove it there, or have this stack want what is there"
        )
        return opts

    def refuse_others(self, kind: Kind, name: str, wanted: Mapping[str, object]) -> None:
        """Refuse what is another's, for a kind whose create takes whatever it finds.

        Raises:
            pulumi.RunError: names the thing and what it differs in.
        """
        others = self._others(kind, name, wanted)
        if others:
            raise pulumi.RunError(
                f"the node '{self._node}' has a {kind} '{name}' that is none of this stack's: {'; '.join(others)}. "
                "Remove it there, or give it what this stack wants"
            )

    def _others(self, kind: Kind, name: str, wanted: Mapping[str, object]) -> list[str] | None:
        """What a thing differs in; None if it is not there."""
        found = self.find(kind, name)
        if found is None:
            return None
        return [
            f"{setting} is {_shown(found.get(setting))}, not {_shown(value)}"
            for setting, value in sorted(wanted.items())
            if not _same(found.get(setting), value)
        ]

    def _list(self, path: str) -> list[Mapping[str, Any]]:
        if path not in self._found:
            try:
                self._found[path] = self._ask(path) if self._ask is not None else []
            except AccessError as error:
                raise pulumi.RunError(str(error)) from None
        return self._found[path]


def _same(found: object, wanted: object) -> bool:
    if isinstance(wanted, frozenset):
        return frozenset(_parts(found)) == wanted
    return str(found) == str(wanted)


def _parts(listed: object) -> list[str]:
    """Proxmox VE separates by commas, and tags by semicolons."""
    return [part for part in str(listed or "").replace(";", ",").split(",") if part]


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    return ",".join(sorted(map(str, value))) if isinstance(value, frozenset) else f"{value}"
