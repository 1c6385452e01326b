"""vSwitches brought to a wanted form, against the lab's rules in this process."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.robot.budget import RequestBudget
from components.robot.client import Robot
from components.robot.errors import RobotError, RobotRefused
from components.robot.vswitches import PATIENCE, LiveVSwitch, VSwitches, next_step
from components.specs.vswitch import VSwitchSpec
from lab.robot.errors import ApiError
from lab.robot.form import parse_form
from lab.robot.vswitches import VSwitches as Rules
from lab.robot.world import World

ONE, TWO, THREE = 321_001, 321_002, 321_003


class Network:
    """Robot's rules for vSwitches without a server: a pause of the client is the only time that passes."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.world = World(lambda: self.now, switching=10)
        self.world.clear(["one", "two", "three"])
        self.rules = Rules(self.world)
        self.writes: list[str] = []
        self.after: Callable[[str], None] = lambda _request: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        path = urlsplit(str(request.url)).path
        try:
            answer = self._do(request.method, path.split("/")[2:], parse_form(request.content))
        except ApiError as error:
            return httpx.Response(error.status, json=error.body())
        if request.method != "GET":
            self.writes.append(f"{request.method} {path}")
            self.after(path)
        return httpx.Response(200, json=answer) if answer is not None else httpx.Response(200)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def servers(self, number: int) -> list[int]:
        """The servers on a vSwitch."""
        return sorted(server["server_number"] for server in self.rules.get(number)["server"])

    def _do(self, method: str, place: list[str], form: dict[str, Any]) -> Any:
        number = int(place[0]) if place else 0
        calls: dict[tuple[str, int], Callable[[], Any]] = {
            ("GET", 0): self.rules.all,
            ("POST", 0): lambda: self.rules.create(form),
            ("GET", 1): lambda: self.rules.get(number),
            ("POST", 1): lambda: self.rules.change(number, form),
            ("DELETE", 1): lambda: self.rules.cancel(number, form),
            ("POST", 2): lambda: self.rules.attach(number, form),
            ("DELETE", 2): lambda: self.rules.detach(number, form),
        }
        return calls[method, len(place)]()


@pytest.fixture
def network() -> Network:
    """Three servers and no vSwitch."""
    return Network()


@pytest.fixture
def vswitches(network: Network) -> VSwitches:
    """The client on that network."""
    http = httpx.Client(base_url="https://robot.example", transport=httpx.MockTransport(network))
    robot = Robot(http, RequestBudget(lambda: network.now), network.pause)
    return VSwitches(robot, 3.0, lambda: network.now)


def spec(*servers: int, vlan: int = 4000, name: str = "lan") -> VSwitchSpec:
    """A wanted vSwitch."""
    return VSwitchSpec(name=name, vlan=vlan, servers=servers)


def test_it_is_made_once_and_then_left_alone(network: Network, vswitches: VSwitches) -> None:
    """The second time nothing is written."""
    live = vswitches.ensure(spec(ONE, TWO))
    assert (network.servers(live.number), live.busy) == ([ONE, TWO], frozenset())
    network.writes.clear()
    assert vswitches.ensure(spec(TWO, ONE)) == live
    assert network.writes == []


def test_servers_leave_before_the_vlan_changes_and_join_after_it(network: Network, vswitches: VSwitches) -> None:
    """So no server has a VLAN twice on the way."""
    other = vswitches.ensure(spec(THREE, vlan=4001, name="other"))
    live = vswitches.ensure(spec(ONE, TWO))
    network.writes.clear()
    vswitches.bring(other.number, spec(THREE, vlan=4002, name="other"))
    vswitches.bring(live.number, spec(TWO, THREE, vlan=4001))
    place = f"/vswitch/{live.number}"
    changed = [f"DELETE {place}/server", f"POST {place}", f"POST {place}/server"]
    assert network.writes == [f"POST /vswitch/{other.number}", *changed]
    assert network.servers(live.number) == [TWO, THREE]


def test_a_lost_answer_is_followed_by_a_look(network: Network, vswitches: VSwitches) -> None:
    """Every change is made exactly once."""
    lost: list[str] = []

    def lose(path: str) -> None:
        if path not in lost:
            lost.append(path)
            raise httpx.ReadTimeout("lost")

    network.after = lose
    live = vswitches.ensure(spec(ONE))
    place = f"/vswitch/{live.number}"
    assert network.writes == ["POST /vswitch", f"POST {place}/server"] == [f"POST {path}" for path in lost]
    vswitches.cancel(live.number)
    assert network.writes[2:] == [f"DELETE {place}/server", f"DELETE {place}"]
    assert (lost[2:], vswitches.get(live.number)) == ([place], None)


def test_robot_is_waited_for_and_not_for_ever(network: Network, vswitches: VSwitches) -> None:
    """Ten minutes, and a sentence that says what to do."""
    number = vswitches.ensure(spec(ONE)).number
    network.world.switching = PATIENCE * 3
    network.rules.attach(number, {"server": [str(TWO)]})
    before = network.now
    with pytest.raises(RobotError, match=r"still at work after 600 s .*run again later"):
        vswitches.bring(number, spec(ONE))
    assert network.now - before >= PATIENCE
    network.now += PATIENCE * 3
    network.world.switching = 10
    assert network.servers(vswitches.bring(number, spec(ONE)).number) == [ONE]


def test_a_server_that_failed_is_tried_once_more(network: Network, vswitches: VSwitches) -> None:
    """An old failure is put right; a new one is told."""
    number = vswitches.ensure(spec(ONE, TWO)).number
    network.rules.fail(number, TWO)
    assert vswitches.bring(number, spec(ONE, TWO)).failed == frozenset()
    assert network.writes[-2:] == [f"DELETE /vswitch/{number}/server", f"POST /vswitch/{number}/server"]

    def fail(path: str) -> None:
        if path.endswith("/server"):
            network.now += 10
            network.rules.fail(number, THREE)

    network.after = fail
    with pytest.raises(RobotError, match=f"could not put server {THREE} onto vSwitch {number}"):
        vswitches.bring(number, spec(ONE, TWO, THREE))


def test_refused_servers_leave_no_vswitch_that_was_made_for_them(network: Network, vswitches: VSwitches) -> None:
    """One that was there before stays."""
    with pytest.raises(RobotRefused, match="SERVER_NOT_FOUND"):
        vswitches.ensure(spec(999))
    assert [item["cancelled"] for item in network.rules.all()] == [True]
    number = vswitches.ensure(spec(ONE)).number
    with pytest.raises(RobotRefused, match="SERVER_NOT_FOUND"):
        vswitches.ensure(spec(ONE, 999))
    assert network.servers(number) == [ONE]


def test_which_of_two_is_meant_is_not_guessed(network: Network, vswitches: VSwitches) -> None:
    """The error gives their numbers; cancelled ones do not count."""
    first = network.rules.create({"name": "lan", "vlan": "4000"})["id"]
    second = network.rules.create({"name": "lan", "vlan": "4000"})["id"]
    with pytest.raises(RobotError, match=f"several vSwitches named 'lan' with VLAN 4000: {first}, {second}"):
        vswitches.ensure(spec())
    vswitches.cancel(first)
    assert vswitches.ensure(spec()).number == second


def test_one_that_is_gone_is_said_to_be_gone(network: Network, vswitches: VSwitches) -> None:
    """Cancelling it again is no error, changing it is."""
    number = vswitches.ensure(spec(ONE)).number
    network.rules.cancel(number, {"cancellation_date": "2999-01-01"})
    assert vswitches.get(number) is None
    vswitches.cancel(number)
    with pytest.raises(RobotError, match=f"vSwitch {number} is gone or cancelled; refresh the stack"):
        vswitches.bring(number, spec(ONE))


SERVERS = st.frozensets(st.sampled_from([ONE, TWO, THREE]))


@given(servers=SERVERS, failed=SERVERS, wanted=SERVERS, vlan=st.sampled_from([4000, 4001]))
def test_the_steps_end_at_the_wanted_form(
    servers: frozenset[int], failed: frozenset[int], wanted: frozenset[int], vlan: int
) -> None:
    """From any form at most three of them, and none from the wanted one."""
    live = LiveVSwitch(1, "lan", 4000, servers, failed=failed & servers)
    target = spec(*wanted, vlan=vlan)
    steps = 0
    while (step := next_step(live, target)) is not None:
        steps += 1
        method, path, fields = step
        named = {int(number) for number in fields.get("server[]", ())}  # type: ignore[union-attr] # it is a list
        if method == "DELETE":
            live = LiveVSwitch(1, live.name, live.vlan, live.servers - named, failed=live.failed - named)
        elif path.endswith("/server"):
            live = LiveVSwitch(1, live.name, live.vlan, live.servers | named)
        else:
            live = LiveVSwitch(1, target.name, target.vlan, live.servers, failed=live.failed)
    assert steps <= 3
    assert (live.servers, live.vlan, live.failed) == (wanted, vlan, frozenset())
