"""Names of a server and its addresses on the real engine, against the lab's Robot."""

from collections.abc import Callable, Mapping

import httpx
import pytest
from pulumi import automation as auto

from components.network.robot_server import RobotServer
from tests.fixtures.robot_estate import Estate

pytestmark = pytest.mark.engine

ONE, ADDRESS, SECOND = 321_001, "198.18.0.2", "2001:db8:f00:1::2"
NAMES = {ADDRESS: "node-1.slipway.example", SECOND: "node-1.slipway.example"}


def node(name: str = "node-1", rdns: Mapping[str, str] | None = None, number: int = ONE) -> Callable[[], None]:
    """A program with one server."""

    def program() -> None:
        RobotServer("node", number=number, name=name, rdns=rdns or NAMES)

    return program


def names(robot: httpx.Client) -> tuple[str, dict[str, str]]:
    """The server's name and those of all addresses."""
    answer = robot.get("/rdns")
    entries = answer.json() if answer.is_success else []
    name = robot.get(f"/server/{ONE}").json()["server"]["server_name"]
    return name, {entry["rdns"]["ip"]: entry["rdns"]["ptr"] for entry in entries}


def test_a_server_is_named_renamed_and_left_alone(estate: Estate, robot: httpx.Client) -> None:
    """Hand-made changes are seen; what goes in the end is what we wrote, and never the server."""
    robot.post("/rdns/2001:db8:f00:1::9", data={"ptr": "theirs.slipway.example"})
    theirs = {"2001:db8:f00:1::9": "theirs.slipway.example"}
    estate.up(node())
    assert names(robot) == ("node-1", NAMES | theirs)
    assert estate.pending(node(), refresh=True) == []
    robot.post(f"/rdns/{ADDRESS}", data={"ptr": "by-hand.slipway.example"})
    assert estate.pending(node(), refresh=True) == ["update"]
    estate.stack.up(program=node("node-2", {ADDRESS: "node-2.slipway.example"}))
    assert names(robot) == ("node-2", {ADDRESS: "node-2.slipway.example"} | theirs)
    estate.stack.destroy()
    assert names(robot) == ("node-2", theirs)


def test_a_server_that_is_not_ours_is_refused(estate: Estate) -> None:
    """The message names the field."""
    with pytest.raises(auto.CommandError, match="Robot has no server 999 for this login; check 'number'"):
        estate.stack.up(program=node(number=999))
