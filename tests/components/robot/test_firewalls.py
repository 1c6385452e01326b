"""Firewalls at the lab's Robot."""

import pytest
from pydantic import ValidationError

from components.robot.client import Robot
from components.robot.errors import RobotError, RobotUnreachable
from components.robot.firewalls import Firewalls
from components.specs.robot_firewall import RobotFirewallSpec
from lab.client import RunningLab

ONE = 321_001


def spec(**parts: object) -> RobotFirewallSpec:
    """The first server's firewall with one rule."""
    rules = [{"name": "ssh", "ip_version": "ipv4", "protocol": "tcp", "dst_port": "22", "src_ip": "198.51.100.0/24"}]
    return RobotFirewallSpec.model_validate({"number": ONE, "input": rules, **parts})


def test_rules_are_given_waited_for_and_taken_off(robot_login: Robot, lab: RunningLab) -> None:
    """A switch at work is waited for; what is right already is not written."""
    lab.faults.robot.set_switching(30)
    firewalls = Firewalls(robot_login, 3.0)
    applied = firewalls.apply(spec())
    assert applied == spec().model_dump(mode="json", exclude={"number"})
    firewalls.apply(spec(filter_ipv6=False))
    writes = sum(method == "POST" for method, _, _ in lab.faults.robot.requests())
    firewalls.apply(spec(filter_ipv6=False))
    assert sum(method == "POST" for method, _, _ in lab.faults.robot.requests()) == writes == 2
    firewalls.clear(ONE)
    live = firewalls.get(ONE)
    assert live is not None
    assert (live["is_active"], live["input"]) == (False, [])


@pytest.mark.parametrize("kind", ["lose_answer", "error"])
def test_a_lost_answer_costs_a_look(robot_login: Robot, lab: RunningLab, kind: str) -> None:
    """What was really done is read before anything is sent again."""
    with lab.faults.robot.during(kind, method="POST", path="/firewall/*", times=1):
        Firewalls(robot_login, 1.0).apply(spec())
    with lab.faults.robot.during("error", method="POST", path="/firewall/*"), pytest.raises(RobotUnreachable):
        Firewalls(robot_login, 1.0).apply(spec(is_active=False))


def test_a_switch_that_never_ends_is_given_up(robot_login: Robot, lab: RunningLab) -> None:
    """After ten minutes, with a message that names the server."""
    lab.faults.robot.set_switching(3600)
    ticks = iter(range(0, 100_000, 100))
    firewalls = Firewalls(robot_login, 1.0, lambda: float(next(ticks)))
    with pytest.raises(RobotError, match="firewall of server 321001 is still at work after 600 s"):
        firewalls.apply(spec())


def test_a_server_that_is_not_ours_has_none(robot_login: Robot) -> None:
    """Nothing is taken off it, either."""
    firewalls = Firewalls(robot_login, 1.0)
    assert firewalls.get(999) is None
    firewalls.clear(999)
    with pytest.raises(RobotError, match="no server 999 with a firewall for this login; check 'number'"):
        firewalls.apply(spec(number=999))


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"name": "x", "dst_port": "22"}, "ports need 'protocol' tcp or udp"),
        ({"name": "x", "protocol": "tcp", "dst_port": "70000"}, "neither a port nor a range"),
        ({"name": "x", "protocol": "tcp", "dst_port": "20-10"}, "begins with its lower port"),
        ({"name": "x", "protocol": "udp", "tcp_flags": "ack"}, "flags need 'protocol' tcp"),
        ({"name": "x", "src_ip": "198.51.100.0/24"}, "a rule with an address needs it"),
        ({"name": "x", "ip_version": "ipv6", "src_ip": "198.51.100.0/24"}, "is not ipv6"),
        ({"name": "x", "ip_version": "ipv4", "src_ip": "198.51.100.1/24"}, "is no network"),
        ({"name": "", "action": "accept"}, "String should match"),
    ],
)
def test_a_rule_that_robot_would_refuse_is_refused_before(rule: dict[str, str], problem: str) -> None:
    """By field."""
    with pytest.raises(ValidationError, match=problem):
        spec(input=[rule])


def test_an_eleventh_rule_is_one_too_many() -> None:
    """Hetzner's limit of each direction."""
    with pytest.raises(ValidationError, match="at most 10 items"):
        spec(input=[{"name": f"rule {index}"} for index in range(11)])
