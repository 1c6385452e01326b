"""Robot's part of an installation: keys, rescue system, reset. Every call blocks."""

from dataclasses import dataclass
from typing import Any

from components.installation.errors import InstallationError
from components.installation.profile import Uplink
from components.robot.client import Robot
from components.robot.errors import RobotRefused, RobotUnreachable
from components.robot.servers import LiveServer, Servers


@dataclass(frozen=True, slots=True)
class Activation:
    """A rescue system as it was activated.

    Attributes:
        is_armed: the server boots it at its next start.
        keys: MD5 fingerprints of the keys that it lets in.
        host_keys: its own.
    """

    is_armed: bool
    keys: frozenset[str]
    host_keys: frozenset[str]


class RescueDesk:
    """The rescue systems of one login."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def server(self, number: int) -> LiveServer:
        """Return a server.

        Raises:
            InstallationError: this login has no such one, or it has no address.
        """
        live = Servers(self._robot).get(number)
        if live is None:
            raise InstallationError(f"Robot has no server {number} for this login; check 'number'")
        if not live.address:
            raise InstallationError(f"server {number} has no IPv4 address, which its installation needs")
        return live

    def uplink(self, server: LiveServer) -> Uplink:
        """Return a server's place in the network."""
        ip = self._robot.get(f"/ip/{server.address}")["ip"]
        return Uplink(server.address, int(ip["mask"]), ip["gateway"], server.network)

    def last(self, number: int) -> Activation:
        """Return the rescue system that was activated last, whether it has been booted by now or not."""
        armed = self._robot.get(f"/boot/{number}/rescue")["rescue"]
        if armed["active"]:
            return _activation(armed)
        return _activation(self._robot.get(f"/boot/{number}/rescue/last")["rescue"])

    def activate(self, number: int, key: str) -> Activation:
        """Have a server boot the rescue system at its next start, with one key. What was activated before is undone."""
        place = f"/boot/{number}/rescue"
        if self._robot.get(place)["rescue"]["active"]:
            self._robot.write("DELETE", place, {})
        try:
            return _activation(self._robot.write("POST", place, {"os": "linux", "authorized_key[]": [key]})["rescue"])
        except RobotUnreachable:
            made = self.last(number)  # it may have been made all the same
            if made.is_armed and made.keys == {key}:
                return made
            raise
        except RobotRefused as error:
            raise InstallationError(f"server {number}: {error}; is the key known to Robot?") from None

    def reset(self, number: int) -> None:
        """Press the reset button. A lost answer is put up with: what the machine does shows whether it was pressed."""
        try:
            self._robot.write("POST", f"/reset/{number}", {"type": "hw"})
        except RobotUnreachable:
            return


def _activation(document: dict[str, Any]) -> Activation:
    return Activation(
        bool(document["active"]), _fingerprints(document, "authorized_key"), _fingerprints(document, "host_key")
    )


def _fingerprints(document: dict[str, Any], kind: str) -> frozenset[str]:
    return frozenset(item["key"]["fingerprint"] for item in document.get(kind) or ())
