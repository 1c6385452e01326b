"""Names of servers and of their addresses at Robot. Every call blocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from components.robot.client import Robot
from components.robot.errors import RobotError, RobotRefused
from components.specs.robot_server import RobotServerSpec

_NO_SERVER, _NO_NAMES, _NO_NAME, _NO_ADDRESS = "SERVER_NOT_FOUND", "NOT_FOUND", "RDNS_NOT_FOUND", "IP_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A server as Robot shows it, with the names of all its addresses that have one."""

    number: int
    name: str
    address: str
    network: str
    product: str
    datacenter: str
    rdns: Mapping[str, str]


class Servers:
    """The dedicated servers of one login. They are named here, never ordered and never cancelled."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def get(self, number: int) -> LiveServer | None:
        """Return a server, None if this login has no such one. Two requests."""
        try:
            server = self._robot.get(f"/server/{number}")["server"]
        except RobotRefused as error:
            if error.code == _NO_SERVER:
                return None
            raise
        names = self._names(server["server_ip"] or number)
        where = (server["server_ip"] or "", server["server_ipv6_net"] or "", server["product"], server["dc"])
        return LiveServer(number, server["server_name"], *where, rdns=names)

    def name(self, spec: RobotServerSpec, *, no_longer: Mapping[str, str] | None = None) -> LiveServer:
        """Give a server and its addresses their names; what is right already is not written.

        Each write says what shall be, so after a lost answer it does no harm to run again.

        Args:
            spec: what shall be.
            no_longer: names that were ours and are not wanted any more; one that somebody has changed is left alone.

        Raises:
            RobotError: there is no such server, an address is not its own, or as :class:`Robot` has it.
        """
        live = self._there(spec.number)
        if live.name != spec.name:
            self._robot.write("POST", f"/server/{spec.number}", {"server_name": spec.name})
        for address, name in spec.rdns.items():
            if live.rdns.get(address) != name:
                self._robot.write("POST", _place(address), {"ptr": name})
        self._forget(live, {key: name for key, name in (no_longer or {}).items() if key not in spec.rdns})
        return self._there(spec.number)

    def forget(self, number: int, rdns: Mapping[str, str]) -> None:
        """Remove the names of addresses that are still as given. The server and its own name stay."""
        live = self.get(number)
        if live is not None:
            self._forget(live, rdns)

    def _there(self, number: int) -> LiveServer:
        live = self.get(number)
        if live is None:
            raise RobotError(f"Robot has no server {number} for this login; check 'number'")
        return live

    def _forget(self, live: LiveServer, rdns: Mapping[str, str]) -> None:
        for address, name in rdns.items():
            if live.rdns.get(address) != name:
                continue
            try:
                self._robot.write("DELETE", _place(address), {})
            except RobotRefused as error:
                if error.code not in {_NO_NAME, _NO_ADDRESS}:
                    raise

    def _names(self, server: str | int) -> dict[str, str]:
        try:
            entries = self._robot.get(f"/rdns?server_ip={server}")
        except RobotRefused as error:
            if error.code == _NO_NAMES:
                return {}
            raise
        return {entry["rdns"]["ip"]: entry["rdns"]["ptr"] for entry in entries}


def _place(address: str) -> str:
    return f"/rdns/{quote(address, safe=':')}"
