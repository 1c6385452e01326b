"""What the account owns. Plain data and a clock; the other modules hold the rules for each part."""

import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from lab.rescue.machine import Disk, Machine
from lab.robot.errors import ApiError

Item = dict[str, Any]

FIRST_NUMBER = 321_001
FIRST_VSWITCH = 4_321
_PARTS = ("servers", "rdns", "keys", "firewalls", "templates", "vswitches", "boots", "resets", "orders", "machines")


_OF_THE_RUN = frozenset({"clock", "switching", "installed", "on_boot"})


class LabClock:
    """Seconds since the epoch, which a test may set forward."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now, self._ahead = now, 0.0

    def __call__(self) -> float:
        """Now."""
        return self._now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Set the clock forward."""
        self._ahead += seconds

    def reset(self) -> None:
        """Set it right again."""
        self._ahead = 0.0


@dataclass
class World:
    """The account: servers by number, everything else by its own key.

    Attributes:
        clock: seconds since the epoch.
        switching: seconds that the network takes over a change of a vSwitch or a firewall.
        installed: names of the servers that have Proxmox VE on them from the start.
        on_boot: told when a server is reset: its number, and what it boots.
    """

    clock: Callable[[], float]
    switching: float = 0.2
    servers: dict[int, Item] = field(default_factory=dict)
    rdns: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Item] = field(default_factory=dict)
    firewalls: dict[int, Item] = field(default_factory=dict)
    templates: dict[int, Item] = field(default_factory=dict)
    vswitches: dict[int, Item] = field(default_factory=dict)
    boots: dict[tuple[int, str], Item] = field(default_factory=dict)
    resets: list[Item] = field(default_factory=list)
    orders: dict[str, Item] = field(default_factory=dict)
    machines: dict[int, Machine] = field(default_factory=dict)
    installed: frozenset[str] = frozenset()
    on_boot: Callable[[int, str], None] = lambda _number, _system: None
    number: int = 0
    seeded: list[str] = field(default_factory=list)

    def next_number(self) -> int:
        """A number that nothing had before."""
        self.number += 1
        return self.number

    def today(self) -> str:
        """The date, as the webservice writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%d")

    def moment(self) -> str:
        """The time, as the webservice writes it."""
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="seconds")

    def add_server(self, name: str, product: str = "AX41-NVMe", dc: str = "FSN1-DC14") -> Item:
        """Own one more server, with addresses that reach no real host (RFC 2544, RFC 3849)."""
        count = self.next_number()
        address = str(ipaddress.IPv4Address("198.18.0.0") + count + 1)
        number = FIRST_NUMBER + count - 1
        server = {
            "server_ip": address,
            "server_ipv6_net": f"2001:db8:f00:{count:x}::",
            "server_number": number,
            "server_name": name,
            "product": product,
            "dc": dc,
            "traffic": "unlimited",
            "status": "ready",
            "cancelled": False,
            "paid_until": "2030-01-01",
            "ip": [address],
            "subnet": [{"ip": f"2001:db8:f00:{count:x}::", "mask": "64"}],
            "cancellation": None,
        }
        self.servers[number] = server
        self.machines[number] = Machine(number, name, Disk.PROXMOX if name in self.installed else Disk.BLANK)
        return server

    def server(self, number_or_address: str) -> Item:
        """A server by its number or main address.

        Raises:
            ApiError: 404 SERVER_NOT_FOUND.
        """
        for number, server in self.servers.items():
            if number_or_address in {str(number), server["server_ip"], server["server_ipv6_net"]}:
                return server
        raise ApiError(404, "SERVER_NOT_FOUND", f"Server with id {number_or_address} not found")

    def clear(self, names: Iterable[str]) -> None:
        """Own exactly these servers, untouched, and nothing else."""
        self.number = 0
        for part in (*_PARTS, "seeded"):
            getattr(self, part).clear()
        self.seed(names)

    def seed(self, names: Iterable[str]) -> None:
        """Own a server for each of these names that had none yet, whatever it may be called by now."""
        for name in names:
            if name not in self.seeded:
                self.seeded.append(name)
                self.add_server(name)

    def remembered(self) -> Item:
        """Everything that is owned, as plain data."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _OF_THE_RUN}

    def remember(self, state: Item) -> None:
        """Own again what an earlier run owned."""
        for name, value in state.items():
            setattr(self, name, value)
        for number, server in self.servers.items():  # a folder from before there were machines
            self.machines.setdefault(number, Machine(number, server["server_name"], Disk.PROXMOX))


def named(server: Item) -> Item:
    """The fields by which most answers name a server."""
    return {key: server[key] for key in ("server_ip", "server_ipv6_net", "server_number")}
