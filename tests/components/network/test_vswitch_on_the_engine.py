"""A vSwitch on the real engine, against the lab's Robot."""

import json
import re
from collections.abc import Callable, Sequence

import httpx
import pulumi
import pytest
from pulumi import automation as auto

from components.network.vswitch import VSwitch
from lab.client import RunningLab
from tests.fixtures.robot_estate import Estate

pytestmark = pytest.mark.engine

ONE, TWO, THREE = 321_001, 321_002, 321_003


def lan(servers: Sequence[int] = (ONE, TWO), vlan: int = 4000, name: str = "private") -> Callable[[], None]:
    """A program with one vSwitch."""

    def program() -> None:
        made = VSwitch("lan", name=name, vlan=vlan, servers=servers)
        pulumi.export("id", made.vswitch_id)
        pulumi.export("servers", made.servers)

    return program


def attached(robot: httpx.Client, number: int) -> list[int]:
    """The servers on a vSwitch."""
    return sorted(server["server_number"] for server in robot.get(f"/vswitch/{number}").json()["server"])


def there(robot: httpx.Client) -> list[tuple[str, int]]:
    """Name and VLAN of every vSwitch that is not cancelled."""
    return [(item["name"], item["vlan"]) for item in robot.get("/vswitch").json() if not item["cancelled"]]


def test_a_vswitch_comes_up_stays_the_same_changes_and_goes(estate: Estate, robot: httpx.Client) -> None:
    """Servers are a set: their order is no change, and one more or less changes the vSwitch in place."""
    first = estate.up(lan())
    assert (attached(robot, first["id"]), first["servers"]) == ([ONE, TWO], [ONE, TWO])
    assert estate.pending(lan()) == []
    assert estate.pending(lan(servers=(TWO, ONE)), refresh=True) == []
    changed = estate.up(lan(servers=(TWO, THREE), vlan=4001, name="other"))
    assert changed["id"] == first["id"]
    assert (there(robot), attached(robot, first["id"])) == ([("other", 4001)], [TWO, THREE])
    estate.stack.destroy()
    assert there(robot) == []


def test_what_was_done_by_hand_is_seen_and_put_right(estate: Estate, robot: httpx.Client, lab: RunningLab) -> None:
    """A server taken off, and the whole vSwitch cancelled."""
    number = estate.up(lan())["id"]
    lab.faults.robot.set_switching(0.0)
    robot.request("DELETE", f"/vswitch/{number}/server", data={"server[]": [ONE]})
    assert estate.pending(lan(), refresh=True) == ["update"]
    estate.stack.up(program=lan(), refresh=True)
    assert attached(robot, number) == [ONE, TWO]
    robot.request("DELETE", f"/vswitch/{number}", data={"cancellation_date": "now"})
    assert estate.pending(lan(), refresh=True) == ["create"]


def test_wrong_credentials_cost_one_login(estate: Estate, lab: RunningLab, robot: httpx.Client) -> None:
    """However many resources want Robot at once; and nobody is locked out."""

    def program() -> None:
        for index in range(6):
            VSwitch(f"lan-{index}", name=f"lan-{index}", vlan=4000 + index)

    good = estate.environment["HETZNER_ROBOT_PASSWORD"]
    estate.environment["HETZNER_ROBOT_PASSWORD"] = "wrong"
    lab.faults.robot.forgive()
    with pytest.raises(auto.CommandError, match="Robot does not accept the login: check HETZNER_ROBOT_USER"):
        estate.stack.up(program=program)
    assert lab.faults.robot.requests() == [("GET", "/vswitch", False)]
    estate.environment["HETZNER_ROBOT_PASSWORD"] = good
    estate.stack.up(program=program)
    assert len(there(robot)) == 6


@pytest.mark.parametrize("kind", ["lose_answer", "late_error"])
@pytest.mark.parametrize("path", ["/vswitch", "/vswitch/*/server"])
def test_a_lost_answer_makes_no_second_vswitch(
    estate: Estate, robot: httpx.Client, lab: RunningLab, kind: str, path: str
) -> None:
    """What was done is found, within the same run."""
    lab.faults.robot.add(kind, method="POST", path=path, times=1)
    number = estate.up(lan())["id"]
    assert (there(robot), attached(robot, number)) == ([("private", 4000)], [ONE, TWO])


def test_a_run_that_broke_off_half_way_is_taken_up_again(estate: Estate, robot: httpx.Client, lab: RunningLab) -> None:
    """The vSwitch is there and not in the state; the next run takes it over."""
    with (
        lab.faults.robot.during("error", method="POST", path="/vswitch/*/server"),
        pytest.raises(auto.CommandError, match="Robot failed at POST /vswitch"),
    ):
        estate.stack.up(program=lan())
    (number,) = [item["id"] for item in robot.get("/vswitch").json()]
    assert estate.up(lan())["id"] == number
    assert (there(robot), attached(robot, number)) == ([("private", 4000)], [ONE, TWO])


def test_what_cannot_be_is_refused_before_robot_is_asked(estate: Estate, lab: RunningLab) -> None:
    """The message names the field and what would be right."""
    lab.faults.robot.forgive()
    with pytest.raises(auto.CommandError, match=r"vlan.*less than or equal to 4091"):
        estate.stack.preview(program=lan(vlan=4092))
    assert lab.faults.robot.requests() == []


def test_a_server_that_is_not_ours_leaves_no_vswitch_behind(estate: Estate, robot: httpx.Client) -> None:
    """Robot's refusal is told, and the vSwitch made for it is cancelled again."""
    with pytest.raises(auto.CommandError, match=r"SERVER_NOT_FOUND"):
        estate.stack.up(program=lan(servers=(ONE, 999)))
    assert there(robot) == []


def test_the_state_holds_no_credential_and_no_code(estate: Estate, lab: RunningLab) -> None:
    """The provider is in the state by its name, in fewer bytes than any code would take."""
    estate.stack.up(program=lan())
    state = json.dumps(estate.stack.export_stack().deployment)
    assert lab.document.robot.password not in state
    assert lab.document.robot.login not in state
    providers = re.findall(r'"__provider": "([^"]*)"', state)
    assert providers
    assert max(map(len, providers)) < 200
