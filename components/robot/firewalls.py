"""Firewalls of dedicated servers at Robot. Every call blocks until the switch has taken a change."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.robot.client import Fields, Robot
from components.robot.errors import RobotError, RobotRefused, RobotUnreachable
from components.specs.robot_firewall import RobotFirewallRules, RobotFirewallSpec, RobotRule

PATIENCE = 600.0
"""Seconds that a switch may take over a change; usually it is half a minute."""
LOST_ANSWERS = 3
_BUSY, _GONE = "FIREWALL_IN_PROCESS", frozenset({"SERVER_NOT_FOUND", "FIREWALL_NOT_FOUND"})
_WAYS = ("input", "output")


class Firewalls:
    """The firewalls of one login.

    Args:
        robot: the login.
        poll_seconds: the first pause while the switch is at work.
        clock: seconds that only grow.
    """

    def __init__(self, robot: Robot, poll_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._robot, self._poll, self._clock = robot, poll_seconds, clock

    def get(self, number: int) -> dict[str, Any] | None:
        """Return a server's firewall in the form of :class:`RobotFirewallRules`; None: no such server, or none."""
        document = self._ask(number)
        return None if document is None else _rules_of(document)

    def apply(self, spec: RobotFirewallSpec) -> dict[str, Any]:
        """Give a server these rules and no others, and return them. What is right already is not written.

        Raises:
            RobotError: no such server, the switch takes too long, or as :class:`Robot` has it.
        """
        return self._bring(spec.number, RobotFirewallRules.model_validate(spec.model_dump(exclude={"number"})))

    def clear(self, number: int) -> None:
        """Take a server's firewall off: everything gets through then."""
        if self._ask(number) is not None:
            self._bring(number, None)

    def _bring(self, number: int, wanted: RobotFirewallRules | None) -> dict[str, Any]:
        lost = 0
        for _ in self._pauses(number):
            document = self._ask(number)
            if document is None:
                raise RobotError(f"Robot has no server {number} with a firewall for this login; check 'number'")
            if document["status"] == "in process":
                continue
            live = _rules_of(document)
            if live == _form_of(wanted):
                return live
            try:
                if wanted is None:
                    self._robot.write("DELETE", f"/firewall/{number}", {})
                else:
                    self._robot.write("POST", f"/firewall/{number}", _fields(wanted))
            except RobotRefused as error:
                if error.code != _BUSY:
                    raise
            except RobotUnreachable:
                lost += 1
                if lost >= LOST_ANSWERS:
                    raise
        raise RobotError(f"the firewall of server {number} is still at work after {PATIENCE:.0f} s; run again later")

    def _ask(self, number: int) -> Mapping[str, Any] | None:
        try:
            document: Mapping[str, Any] = self._robot.get(f"/firewall/{number}")["firewall"]
        except RobotRefused as error:
            if error.code in _GONE:
                return None
            raise
        return document

    def _pauses(self, number: int) -> Iterator[None]:
        del number
        deadline = self._clock() + PATIENCE
        pause = self._poll
        yield
        while self._clock() < deadline:
            self._robot.pause(pause)
            pause = min(pause * 1.5, self._poll * 8)
            yield


_OFF: Mapping[str, Any] = {"is_active": False, "filter_ipv6": False, "whitelist_hos": True, "input": [], "output": []}


def _form_of(wanted: RobotFirewallRules | None) -> Mapping[str, Any]:
    return _OFF if wanted is None else wanted.model_dump(mode="json")


def _rules_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Robot's answer in our form, whatever somebody has put there by hand."""
    keys = tuple(RobotRule.model_fields)
    return {
        "is_active": document["status"] == "active",
        "filter_ipv6": document["filter_ipv6"],
        "whitelist_hos": document["whitelist_hos"],
        **{way: [{key: rule.get(key) for key in keys} for rule in document["rules"].get(way, ())] for way in _WAYS},
    }


def _fields(wanted: RobotFirewallRules) -> Fields:
    fields: dict[str, str] = {
        "status": "active" if wanted.is_active else "disabled",
        "filter_ipv6": str(wanted.filter_ipv6).lower(),
        "whitelist_hos": str(wanted.whitelist_hos).lower(),
    }
    for way, rules in (("input", wanted.input), ("output", wanted.output)):
        for index, rule in enumerate(rules):
            given = rule.model_dump(mode="json", exclude_none=True)
            fields |= {f"rules[{way}][{index}][{key}]": value for key, value in given.items()}
    return fields
