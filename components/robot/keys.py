"""SSH keys at Robot. Every call blocks."""

from dataclasses import dataclass

from components.robot.client import Robot
from components.robot.errors import RobotRefused, RobotUnreachable
from components.specs.robot_key import RobotKeySpec

_NONE, _THERE = "NOT_FOUND", "KEY_ALREADY_EXISTS"


@dataclass(frozen=True, slots=True)
class LiveKey:
    """A key as Robot shows it."""

    name: str
    fingerprint: str
    data: str


class Keys:
    """The keys of one login."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot

    def get(self, fingerprint: str) -> LiveKey | None:
        """Return a key, None if there is no such one."""
        try:
            key = self._robot.get(f"/key/{fingerprint}")["key"]
        except RobotRefused as error:
            if error.code == _NONE:
                return None
            raise
        return LiveKey(key["name"], key["fingerprint"], " ".join(key["data"].split()[:2]))

    def named(self, name: str) -> list[LiveKey]:
        """Return the keys of this name. One request."""
        try:
            entries = self._robot.get("/key")
        except RobotRefused as error:
            if error.code == _NONE:
                return []
            raise
        found = [LiveKey(item["key"]["name"], item["key"]["fingerprint"], item["key"]["data"]) for item in entries]
        return [key for key in found if key.name == name]

    def ensure(self, spec: RobotKeySpec) -> LiveKey:
        """Have a key known under its name; one that is there already is taken over.

        Raises:
            RobotError: see :class:`Robot`.
        """
        live = self.get(spec.fingerprint)
        if live is None:
            self._add(spec)
        elif live.name != spec.name:
            self._robot.write("POST", f"/key/{spec.fingerprint}", {"name": spec.name})
        return LiveKey(spec.name, spec.fingerprint, spec.data)

    def forget(self, fingerprint: str) -> None:
        """Remove a key. Systems that know it already go on letting it in."""
        try:
            self._robot.write("DELETE", f"/key/{fingerprint}", {})
        except RobotRefused as error:
            if error.code != _NONE:
                raise
        except RobotUnreachable:
            if self.get(fingerprint) is not None:
                raise

    def _add(self, spec: RobotKeySpec) -> None:
        try:
            self._robot.write("POST", "/key", {"name": spec.name, "data": spec.data})
        except RobotRefused as error:
            if error.code != _THERE:
                raise
        except RobotUnreachable:
            if self.get(spec.fingerprint) is None:
                raise
