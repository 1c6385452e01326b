"""The rules for vSwitches."""

from collections.abc import Callable
from typing import Any

import pytest

from lab.robot.errors import ApiError
from lab.robot.vswitches import MOST_PER_SERVER, MOST_SERVERS, VSwitches
from lab.robot.world import World

ONE, TWO = "321001", "321002"


@pytest.fixture
def now() -> list[float]:
    """The time, for a test to change."""
    return [1_800_000_000.0]


@pytest.fixture
def world(now: list[float]) -> World:
    """Two servers, and a network that takes ten seconds."""
    world = World(lambda: now[0], switching=10)
    world.clear(["one", "two"])
    return world


@pytest.fixture
def vswitches(world: World) -> VSwitches:
    """No vSwitch yet."""
    return VSwitches(world)


def lan(vswitches: VSwitches, vlan: int = 4000) -> int:
    """One more vSwitch."""
    return int(vswitches.create({"name": "lan", "vlan": str(vlan)})["id"])


def code_of(call: Callable[..., Any], *arguments: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_change_of_servers_takes_its_time(vswitches: VSwitches, now: list[float]) -> None:
    """Joining and leaving servers are in process, and nothing else is taken meanwhile."""
    number = lan(vswitches)
    vswitches.attach(number, {"server": [ONE, TWO]})
    assert code_of(vswitches.detach, number, {"server": [ONE]}) == "VSWITCH_IN_PROCESS"
    now[0] += 10
    vswitches.detach(number, {"server": [ONE]})
    shown = {server["server_number"]: server["status"] for server in vswitches.get(number)["server"]}
    assert shown == {int(ONE): "in process", int(TWO): "ready"}
    now[0] += 10
    assert [server["server_number"] for server in vswitches.get(number)["server"]] == [int(TWO)]


@pytest.mark.parametrize("vlan", ["3999", "4092", "x", "-1"])
def test_a_vlan_lies_in_the_range(vswitches: VSwitches, vlan: str) -> None:
    """Anything else is a wrong parameter."""
    assert code_of(vswitches.create, {"name": "lan", "vlan": vlan}) == "INVALID_INPUT"
    assert code_of(vswitches.change, lan(vswitches), {"vlan": vlan}) == "INVALID_INPUT"


def test_a_server_has_a_vlan_once_and_is_on_few_vswitches(vswitches: VSwitches, world: World) -> None:
    """Both when servers join and when a VLAN changes."""
    world.switching = 0
    first, second = lan(vswitches), lan(vswitches)
    vswitches.attach(first, {"server": ONE})
    assert code_of(vswitches.attach, second, {"server": [ONE]}) == "VSWITCH_VLAN_NOT_UNIQUE"
    vswitches.change(second, {"vlan": "4001"})
    vswitches.attach(second, {"server": [ONE]})
    assert code_of(vswitches.change, second, {"vlan": "4000"}) == "VSWITCH_VLAN_NOT_UNIQUE"
    for vlan in range(4002, 4000 + MOST_PER_SERVER):
        vswitches.attach(lan(vswitches, vlan), {"server": [ONE]})
    assert code_of(vswitches.attach, lan(vswitches, 4050), {"server": [ONE]}) == "VSWITCH_PER_SERVER_LIMIT_REACHED"


def test_a_vswitch_has_at_most_a_hundred_servers(vswitches: VSwitches, world: World) -> None:
    """All join or none does."""
    numbers = [str(world.add_server("more")["server_number"]) for _ in range(MOST_SERVERS + 1)]
    number = lan(vswitches)
    assert code_of(vswitches.attach, number, {"server": numbers}) == "VSWITCH_SERVER_LIMIT_REACHED"
    assert vswitches.get(number)["server"] == []


def test_a_cancelled_vswitch_is_there_until_its_day(vswitches: VSwitches, now: list[float]) -> None:
    """And cannot be changed or cancelled again."""
    later, at_once = lan(vswitches), lan(vswitches)
    vswitches.cancel(later, {"cancellation_date": "2999-01-01"})
    vswitches.cancel(at_once, {"cancellation_date": "now"})
    assert [item["cancelled"] for item in vswitches.all()] == [True, True]
    assert code_of(vswitches.cancel, later, {"cancellation_date": "now"}) == "CONFLICT"
    assert code_of(vswitches.attach, later, {"server": [ONE]}) == "CONFLICT"
    now[0] += 10
    assert [item["id"] for item in vswitches.all()] == [later]
    assert code_of(vswitches.get, at_once) == "NOT_FOUND"
    assert code_of(vswitches.cancel, lan(vswitches), {"cancellation_date": "2001-01-01"}) == "INVALID_INPUT"


def test_strangers_neither_join_nor_leave(vswitches: VSwitches) -> None:
    """A server of somebody else, and one that is not on the vSwitch."""
    number = lan(vswitches)
    assert code_of(vswitches.attach, number, {"server": ["1"]}) == "SERVER_NOT_FOUND"
    assert code_of(vswitches.detach, number, {"server": [ONE]}) == "SERVER_NOT_FOUND"
    assert code_of(vswitches.attach, number, {}) == "INVALID_INPUT"
