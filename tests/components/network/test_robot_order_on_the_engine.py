"""Orders and keys on the real engine, against the lab's Robot."""

from collections.abc import Callable

import httpx
import pulumi
import pytest
from pulumi import automation as auto

from components.network.robot_key import RobotKey
from components.network.robot_order import RobotOrder
from components.specs.robot_order import RobotOrderSpec
from lab.client import RunningLab
from tests.components.robot.test_keys import KEY
from tests.components.robot.test_orders import APPROVED, spec
from tests.fixtures.robot_estate import Estate

pytestmark = pytest.mark.engine


def order(wanted: RobotOrderSpec) -> Callable[[], None]:
    """A program with one order and its key."""

    def program() -> None:
        key = RobotKey("ops", name="ops", data=KEY.data)
        made = RobotOrder("metal-3", wanted, opts=pulumi.ResourceOptions(depends_on=[key]))
        pulumi.export("status", made.status)
        pulumi.export("server", made.server_number)

    return program


def placed(robot: httpx.Client) -> int:
    """How many orders there are."""
    answer = robot.get("/order/server/transaction")
    return len(answer.json()) if answer.is_success else 0


def test_an_order_is_checked_then_placed_once_and_never_cancelled(
    estate: Estate, robot: httpx.Client, lab: RunningLab
) -> None:
    """A refresh finds the server delivered; another thing in its place is refused; destroy takes nothing back."""
    assert estate.up(order(spec()))["status"] == "tested"
    assert (estate.pending(order(spec())), placed(robot)) == ([], 0)
    approved = order(spec(**APPROVED))
    assert estate.up(approved)["status"] == "in process"
    lab.faults.robot.advance(60)
    estate.stack.refresh(program=approved)
    delivered = estate.up(approved)
    assert (delivered["status"], delivered["server"] > 321_006) == ("ready", True)
    assert (estate.pending(approved, refresh=True), placed(robot)) == ([], 1)
    with pytest.raises(auto.CommandError, match="is placed, and location of it cannot be changed"):
        estate.up(order(spec(**APPROVED, location="HEL1")))
    estate.stack.destroy()
    assert placed(robot) == 1
    assert robot.get(f"/server/{delivered['server']:.0f}").json()["server"]["cancelled"] is False
    assert robot.get("/key").status_code == 404
    assert estate.up(approved)["status"] == "ready"  # a state that was lost finds the order again
    assert placed(robot) == 1


def test_an_order_without_approval_is_refused_by_the_engine(estate: Estate, robot: httpx.Client) -> None:
    """Nothing is sent."""
    wanted = spec().model_copy(update={"test": False})
    with pytest.raises(auto.CommandError, match="name who approved it, and where"):
        estate.up(order(wanted))
    assert placed(robot) == 0
