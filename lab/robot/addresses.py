"""Addresses, subnets and reverse DNS. No I/O."""

import ipaddress
import re
from typing import Any

from lab.robot.errors import ApiError, invalid_input
from lab.robot.form import Form, required
from lab.robot.world import Item, World

_QUIET = {"traffic_warnings": False, "traffic_hourly": 200, "traffic_daily": 2000, "traffic_monthly": 20}
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?", re.IGNORECASE)


class Addresses:
    """The addresses of an account's servers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ips(self, server: str | None = None) -> list[Item]:
        """Every single address, of one server or of all."""
        return [{"ip": _single(item)} for item in self._of(server)]

    def ip(self, address: str) -> Item:
        """One address with its network."""
        for item in self._of(None):
            if address in item["ip"]:
                gateway = ipaddress.IPv4Address(address)
                network = ipaddress.IPv4Network((int(gateway) & ~0x3F, 26))
                more = {"gateway": str(network[1]), "mask": 26, "broadcast": str(network.broadcast_address)}
                return {"ip": {**_single(item), **more}}
        raise ApiError(404, "IP_NOT_FOUND", f"The IP address {address} was not found")

    def subnets(self, server: str | None = None) -> list[Item]:
        """Every subnet, of one server or of all."""
        return [{"subnet": _subnet(item, net)} for item in self._of(server) for net in item["subnet"]]

    def subnet(self, address: str) -> Item:
        """One subnet by its network address."""
        for entry in self.subnets():
            if entry["subnet"]["ip"] == address:
                return entry
        raise ApiError(404, "SUBNET_NOT_FOUND", f"The subnet {address} was not found")

    def names(self, server: str | None = None) -> list[Item]:
        """Every reverse entry."""
        numbers = [item["server_number"] for item in self._of(server)]
        found = [{"rdns": {"ip": ip, "ptr": ptr}} for ip, ptr in self._world.rdns.items() if self._owner(ip) in numbers]
        if not found:
            raise ApiError(404, "NOT_FOUND", "No reverse DNS entries found")
        return found

    def name(self, address: str) -> Item:
        """The reverse entry of an address."""
        known = self._known(address)
        if known not in self._world.rdns:
            raise ApiError(404, "RDNS_NOT_FOUND", f"The IP address {address} has no reverse DNS entry yet")
        return {"rdns": {"ip": known, "ptr": self._world.rdns[known]}}

    def set_name(self, address: str, form: Form, *, new: bool) -> tuple[Item, bool]:
        """Write a reverse entry; with ``new`` there must be none yet. Says whether there was none."""
        known = self._known(address)
        (ptr,) = required(form, "ptr")
        if not _NAME.fullmatch(ptr):
            raise invalid_input(invalid=["ptr"])
        was = known in self._world.rdns
        if new and was:
            raise ApiError(409, "RDNS_ALREADY_EXISTS", "There is already an existing reverse DNS entry")
        self._world.rdns[known] = ptr
        return self.name(address), not was

    def remove_name(self, address: str) -> None:
        """Remove a reverse entry."""
        known = self._known(address)
        if self._world.rdns.pop(known, None) is None:
            raise ApiError(404, "RDNS_NOT_FOUND", f"The IP address {address} has no reverse DNS entry yet")

    def _of(self, server: str | None) -> list[Item]:
        return list(self._world.servers.values()) if server is None else [self._world.server(server)]

    def _known(self, address: str) -> str:
        if self._owner(address) is None:
            raise ApiError(404, "IP_NOT_FOUND", f"The IP address {address} was not found")
        return str(ipaddress.ip_address(address))

    def _owner(self, address: str) -> Any:
        try:
            wanted = ipaddress.ip_address(address)
        except ValueError:
            return None
        for item in self._world.servers.values():
            nets = [ipaddress.ip_network(f"{net['ip']}/{net['mask']}") for net in item["subnet"]]
            if str(wanted) in item["ip"] or any(wanted in net for net in nets):
                return item["server_number"]
        return None


def _single(server: Item) -> Item:
    head = {"ip": server["server_ip"], "server_ip": server["server_ip"], "server_number": server["server_number"]}
    return {**head, "locked": False, "separate_mac": None, **_QUIET}


def _subnet(server: Item, net: Item) -> Item:
    head = {"ip": net["ip"], "mask": int(net["mask"]), "gateway": "fe80::1", "server_ip": server["server_ip"]}
    return {**head, "server_number": server["server_number"], "failover": False, "locked": False, **_QUIET}
