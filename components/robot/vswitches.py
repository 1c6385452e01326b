"""vSwitches at Robot: found, made, brought to a wanted form, cancelled. Every call blocks until Robot is done."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.robot.client import Fields, Robot
from components.robot.errors import RobotError, RobotRefused, RobotUnreachable
from components.specs.vswitch import VSwitchSpec

PATIENCE = 600.0
"""Seconds that Robot may take over one change."""
LOST_ANSWERS = 3
"""So many lost answers to changes are put up with in one go."""
_BUSY, _GONE, _CANCELLED = "VSWITCH_IN_PROCESS", "NOT_FOUND", "CONFLICT"


@dataclass(frozen=True, slots=True)
class LiveVSwitch:
    """A vSwitch as Robot shows it. ``busy`` and ``failed`` are servers that it is working on, or has given up on."""

    number: int
    name: str
    vlan: int
    servers: frozenset[int]
    busy: frozenset[int] = frozenset()
    failed: frozenset[int] = frozenset()
    subnets: tuple[Mapping[str, Any], ...] = ()
    cloud_networks: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "LiveVSwitch":
        """Take it from Robot's answer."""
        status = {int(server["server_number"]): server["status"] for server in document["server"]}
        return cls(
            int(document["id"]),
            document["name"],
            int(document["vlan"]),
            frozenset(status),
            frozenset(number for number, word in status.items() if word == "in process"),
            frozenset(number for number, word in status.items() if word == "failed"),
            tuple(document["subnet"]),
            tuple(document["cloud_network"]),
        )


Step = tuple[str, str, Fields]


def next_step(live: LiveVSwitch, spec: VSwitchSpec) -> Step | None:
    """The next change that brings a settled vSwitch closer to the wanted one: method, path and fields; None: it is it.

    Servers leave before the VLAN changes and join after it, so that none has a VLAN twice on the way. One that failed
    leaves, to be tried again.
    """
    place = f"/vswitch/{live.number}"
    leaving = (live.servers - set(spec.servers)) | live.failed
    if leaving:
        return "DELETE", f"{place}/server", {"server[]": sorted(leaving)}
    if (live.name, live.vlan) != (spec.name, spec.vlan):
        return "POST", place, {"name": spec.name, "vlan": spec.vlan}
    joining = set(spec.servers) - live.servers
    return ("POST", f"{place}/server", {"server[]": sorted(joining)}) if joining else None


class VSwitches:
    """The vSwitches of one login.

    Args:
        robot: the login.
        poll_seconds: the first pause while Robot is at work.
        clock: seconds that only grow.
    """

    def __init__(self, robot: Robot, poll_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._robot, self._poll, self._clock = robot, poll_seconds, clock

    def get(self, number: int) -> LiveVSwitch | None:
        """Return a vSwitch, None if there is none or it is cancelled."""
        try:
            document = self._robot.get(f"/vswitch/{number}")
        except RobotRefused as error:
            if error.code == _GONE:
                return None
            raise
        return None if document["cancelled"] else LiveVSwitch.read(document)

    def find(self, name: str, vlan: int) -> int | None:
        """Return the number of the one vSwitch of this name and VLAN, cancelled ones left out.

        Raises:
            RobotError: if there are several.
        """
        same = [
            int(item["id"])
            for item in self._robot.get("/vswitch")
            if (item["name"], int(item["vlan"])) == (name, vlan) and not item["cancelled"]
        ]
        if len(same) > 1:
            several = f"named '{name}' with VLAN {vlan}: {', '.join(map(str, same))}"
            raise RobotError(f"Robot has several vSwitches {several}; cancel all but one")
        return same[0] if same else None

    def ensure(self, spec: VSwitchSpec) -> LiveVSwitch:
        """Make the vSwitch, or take over the one that an interrupted run has made, and bring it to its form.

        If Robot refuses the servers, a vSwitch that was made just now is cancelled again.
        """
        number = self.find(spec.name, spec.vlan)
        if number is not None:
            return self.bring(number, spec)
        number = self._make(spec)
        try:
            return self.bring(number, spec)
        except RobotRefused:
            self.cancel(number)
            raise

    def bring(self, number: int, spec: VSwitchSpec) -> LiveVSwitch:
        """Change a vSwitch until it has the wanted name, VLAN and servers. What is right already is not touched.

        A lost answer does no harm: what was really done is read before the next change.

        Raises:
            RobotError: it is gone, a server failed to join, Robot is at work for too long, or as :class:`Robot` has it.
        """
        joined: set[int] = set()
        lost = 0
        for _ in self._pauses(f"changing vSwitch {number}"):
            live = self._settled(number)
            if live.failed & joined:
                servers = ", ".join(map(str, sorted(live.failed & joined)))
                problem = f"Robot could not put server {servers} onto vSwitch {number}"
                raise RobotError(f"{problem}; run again or ask Hetzner")
            step = next_step(live, spec)
            if step is None:
                return live
            try:
                self._robot.write(*step)
            except RobotRefused as error:
                if error.code != _BUSY:
                    raise
            except RobotUnreachable:
                lost += 1
                if lost >= LOST_ANSWERS:
                    raise
            joined |= set(spec.servers) - live.servers
        raise AssertionError  # pragma: no cover - the pauses end with an error of their own

    def cancel(self, number: int) -> None:
        """Take all servers off a vSwitch, so that their VLAN is free at once, and cancel it as of now."""
        live = self.get(number)
        if live is None:
            return
        self.bring(number, VSwitchSpec.model_construct(name=live.name, vlan=live.vlan, servers=()))
        try:
            self._robot.write("DELETE", f"/vswitch/{number}", {"cancellation_date": "now"})
        except RobotRefused as error:
            if error.code not in {_GONE, _CANCELLED}:
                raise
        except RobotUnreachable:
            if self.get(number) is not None:
                raise

    def _make(self, spec: VSwitchSpec) -> int:
        try:
            return int(self._robot.write("POST", "/vswitch", {"name": spec.name, "vlan": spec.vlan})["id"])
        except RobotUnreachable:
            number = self.find(spec.name, spec.vlan)
            if number is None:
                raise
            return number

    def _settled(self, number: int) -> LiveVSwitch:
        for _ in self._pauses(f"vSwitch {number}"):
            live = self.get(number)
            if live is None:
                raise RobotError(f"vSwitch {number} is gone or cancelled; refresh the stack and run again")
            if not live.busy:
                return live
        raise AssertionError  # pragma: no cover - the pauses end with an error of their own

    def _pauses(self, what: str) -> Iterator[None]:
        """Yield at once, and then after pauses that grow to eight times the first."""
        deadline = self._clock() + PATIENCE
        pause = self._poll
        yield
        while self._clock() < deadline:
            self._robot.pause(pause)
            pause = min(pause * 1.5, self._poll * 8)
            yield
        raise RobotError(f"Robot is still at work after {PATIENCE:.0f} s ({what}); run again later")


def numbers(values: Iterable[Any]) -> tuple[int, ...]:
    """Server numbers as the engine hands them over, where every number is a float, in order."""
    return tuple(sorted(int(value) for value in values))
