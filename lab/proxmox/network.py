"""Network interfaces, where fakepve has only generic answers.

Follows pve-manager's ``PVE/API2/Network.pm`` and the reader of ``/etc/network/interfaces`` in pve-common: a change is
written to ``interfaces.new``, every answer shows that file while there is one, and only a reload (a task) makes it what
the node really does.
"""

import copy
import ipaddress
import re
from typing import Any

from fakepve.routing import param_error, split_list

from lab.proxmox.installed import Installed

Values = dict[str, Any]
Interfaces = dict[str, Values]

UPLINK = "eno1"
_ALL, _ONE = "/nodes/{node}/network", "/nodes/{node}/network/{iface}"
_NOT_KEPT = frozenset({"node", "iface", "delete"})
_VLAN = re.compile(r"(?P<raw>.+)\.(?P<tag>\d+)")
_FLAGS = ("autostart", "active", "exists")


def installed_interfaces() -> Interfaces:
    """What the installer leaves: one network card, in one bridge that has the node's address."""
    card = {"type": "eth", "method": "manual", "method6": "manual", "families": ["inet"], "exists": 1, "active": 1}
    bridge = {
        "type": "bridge",
        "method": "static",
        "method6": "manual",
        "families": ["inet"],
        "autostart": 1,
        "active": 1,
        "address": "192.0.2.10",
        "netmask": "24",
        "gateway": "192.0.2.1",
        "bridge_ports": UPLINK,
        "bridge_stp": "off",
        "bridge_fd": "0",
    }
    return {UPLINK: card, "vmbr0": bridge}


def shown(interface: Values) -> Values:
    """An interface as the list answers it: numbers of the file are text, and ``cidr`` repeats the address."""
    kept = {key: value for key, value in interface.items() if key in _FLAGS or isinstance(value, list)}
    answer = {**{key: str(value) for key, value in interface.items()}, **kept}
    for suffix in ("", "6"):
        if f"address{suffix}" in answer:
            answer[f"cidr{suffix}"] = f"{answer[f'address{suffix}']}/{answer[f'netmask{suffix}']}"
    for key in ("comments", "comments6"):
        if key in answer:
            answer[key] = f"{answer[key].rstrip()}\n"  # the reader keeps each comment line's end
    return answer


def _split_addresses(values: Values) -> None:
    """``cidr`` becomes ``address`` and ``netmask``, as Proxmox VE keeps it."""
    for suffix in ("", "6"):
        if values.get(f"cidr{suffix}"):
            address, _, prefix = str(values.pop(f"cidr{suffix}")).partition("/")
            values.update({f"address{suffix}": address, f"netmask{suffix}": prefix})


class NodeNetworks(Installed):
    """Interfaces of the node: what it does now, and what a reload would make of it."""

    interfaces: Interfaces
    interfaces_new: Interfaces | None

    def as_installed(self) -> None:
        """One card and one bridge, and no change that waits."""
        super().as_installed()
        self.interfaces, self.interfaces_new = installed_interfaces(), None

    def remembered(self) -> Values:
        """Interfaces, those that wait for a reload included."""
        return {**super().remembered(), "interfaces": (self.interfaces, self.interfaces_new)}

    def remember(self, kept: Values) -> None:
        """Have again what an earlier run had."""
        super().remember(kept)
        self.interfaces, self.interfaces_new = kept["interfaces"]

    def _routes_interfaces(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", _ALL, self._interface_list),
            ("POST", _ALL, self._interface_create),
            ("PUT", _ALL, self._interfaces_reload),
            ("DELETE", _ALL, self._interfaces_revert),
            ("GET", _ONE, self._interface_read),
            ("PUT", _ONE, self._interface_update),
            ("DELETE", _ONE, self._interface_delete),
        ]

    def _written(self) -> Interfaces:
        """What the files say: ``interfaces.new`` if there is one."""
        return self.interfaces if self.interfaces_new is None else self.interfaces_new

    def _to_write(self) -> Interfaces:
        if self.interfaces_new is None:
            self.interfaces_new = copy.deepcopy(self.interfaces)
        return self.interfaces_new

    def _interface(self, name: str) -> Values:
        if name not in self._written():
            raise param_error(iface="interface does not exist")
        return self._written()[name]

    async def _interface_list(self, v: Values, user: str) -> list[Values]:
        del user
        wanted = v.get("type")
        return [
            {"iface": name, "priority": place, **shown(interface)}
            for place, (name, interface) in enumerate(self._written().items(), 2)  # the loopback device is first
            if wanted in {None, interface["type"]} or (wanted == "any_bridge" and interface["type"] == "bridge")
        ]

    async def _interface_read(self, v: Values, user: str) -> Values:
        del user
        return {"priority": 3, **shown(self._interface(v["iface"]))}

    async def _interface_create(self, v: Values, user: str) -> None:
        del user
        name = v["iface"]
        if name in self._written():
            raise param_error(iface="interface already exists")
        values = self._checked(name, v)
        found = _VLAN.fullmatch(name)
        if v["type"] == "vlan" and found:
            values.update({"vlan-raw-device": found["raw"], "vlan-id": found["tag"]})
        if v["type"] == "bridge":
            values = {"bridge_ports": "", "bridge_stp": "off", "bridge_fd": "0", **values}
        self._to_write()[name] = values

    async def _interface_update(self, v: Values, user: str) -> None:
        del user
        name = v["iface"]
        self._interface(name)
        values = self._checked(name, v)
        interface = self._to_write()[name]
        for key in split_list(v.get("delete")):
            gone = {"cidr": ("address", "netmask"), "cidr6": ("address6", "netmask6")}.get(key, (key,))
            for part in gone:
                interface.pop(part, None)
        interface.update(values)

    async def _interface_delete(self, v: Values, user: str) -> None:
        del user
        self._interface(v["iface"])
        del self._to_write()[v["iface"]]

    def _checked(self, name: str, v: Values) -> Values:
        """What is kept of a request, once it has been held against the other interfaces."""
        values = {key: value for key, value in v.items() if key not in _NOT_KEPT}
        for key, title in (("gateway", "Default gateway"), ("gateway6", "Default ipv6 gateway")):
            taken = [other for other, kept in self._written().items() if other != name and kept.get(key)]
            if values.get(key) and taken:
                raise param_error(**{key: f"{title} already exists on interface '{taken[0]}'."})
        _split_addresses(values)
        if values.get("address6") and not _is_host(values["address6"]):
            raise param_error(address=f"{values['address6']} is not a valid host IPv6 address.")
        for suffix, family in (("", "inet"), ("6", "inet6")):
            has_address = bool(values.get(f"address{suffix}"))
            values[f"method{suffix}"] = "static" if has_address else "manual"
            if has_address:
                values.setdefault("families", []).append(family)
        values.setdefault("families", ["inet"])
        return values

    async def _interfaces_reload(self, v: Values, user: str) -> str:
        async def body() -> None:
            self.reload()

        return str(await self.task(v["node"], "srvreload", "networking", user, body))

    def reload(self) -> None:
        """Make what is written what the node does."""
        if self.interfaces_new is not None:
            self.interfaces, self.interfaces_new = self.interfaces_new, None
        for interface in self.interfaces.values():
            interface["active"] = 1

    async def _interfaces_revert(self, v: Values, user: str) -> None:
        del v, user
        self.interfaces_new = None


def _is_host(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_loopback or address.is_unspecified)
