"""A server's place on the vSwitch over which it reaches the boot service: taken when it is needed, and given up."""

from collections.abc import Callable, Mapping
from typing import Any

from components.robot.client import Fields, Robot
from components.robot.errors import RobotRefused, RobotUnreachable
from pxe.power.errors import PowerDisobeyed, PowerError
from pxe.power.timing import Timing

_BUSY = "VSWITCH_IN_PROCESS"
_READY, _WORKING = "ready", "in process"


class SwitchPlace:
    """One server and the one vSwitch of this login that has the provisioning VLAN. Every call blocks.

    The boot service's own server is a member that nobody here touches.
    """

    def __init__(self, robot: Robot, number: int, vlan: int, timing: Timing) -> None:
        self._robot, self._number, self._vlan, self._timing = robot, number, vlan, timing
        self._switch: int | None = None

    def find(self) -> int:
        """Return the vSwitch's number. One request, the first time.

        Raises:
            PowerError: there is no such vSwitch, or several.
        """
        if self._switch is None:
            found = [
                int(item["id"])
                for item in self._robot.get("/vswitch")
                if int(item["vlan"]) == self._vlan and not item["cancelled"]
            ]
            if len(found) != 1:
                some = f"has {len(found)} vSwitches" if found else "has no vSwitch"
                raise PowerError(
                    f"Robot {some} with the provisioning VLAN {self._vlan}; there has to be one for this login"
                )
            self._switch = found[0]
        return self._switch

    def take(self, look: Callable[[], None]) -> None:
        """Be a member: two requests if it is one, else some more while Robot works on it. Harmless to repeat.

        Raises:
            PowerError: as :meth:`find`.
            PowerDisobeyed: Robot could not do it, or works on it for too long.
        """
        switch = self.find()
        deadline = self._timing.clock() + self._timing.rescue
        while True:
            look()
            status = self._status(switch)
            if status == _READY:
                return
            if status is None:
                self._change("POST", switch)
            elif status != _WORKING:
                self._change("DELETE", switch)  # one that failed leaves, to be tried again
            if self._timing.clock() > deadline:
                raise PowerDisobeyed(f"Robot did not put server {self._number} onto vSwitch {switch} in time")
            self._timing.pause(self._timing.poll)

    def leave(self) -> None:
        """Be none: two requests if it is none, else some more. Does not wait for Robot to be done.

        Raises:
            PowerDisobeyed: Robot works on the vSwitch for too long.
        """
        switch = self.find()
        deadline = self._timing.clock() + self._timing.rescue
        while self._status(switch) is not None and not self._change("DELETE", switch):
            if self._timing.clock() > deadline:
                raise PowerDisobeyed(f"Robot did not take server {self._number} off vSwitch {switch} in time")
            self._timing.pause(self._timing.poll)

    def _status(self, switch: int) -> str | None:
        document: Mapping[str, Any] = self._robot.get(f"/vswitch/{switch}")
        known = {int(server["server_number"]): str(server["status"]) for server in document["server"]}
        return known.get(self._number)

    def _change(self, method: str, switch: int) -> bool:
        """Order a change; false if the vSwitch is being worked on. A lost answer is found out by the next look."""
        fields: Fields = {"server[]": [self._number]}
        try:
            self._robot.write(method, f"/vswitch/{switch}/server", fields)
        except RobotRefused as error:
            if error.code != _BUSY:
                raise
            return False
        except RobotUnreachable:
            return False
        return True
