"""Orders at the lab's Robot: checked by default, placed once at most, cancelled never."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.robot.client import Robot
from components.robot.errors import RobotError, RobotRefused, RobotUnreachable
from components.robot.keys import Keys
from components.robot.orders import TESTED, Orders
from components.specs.robot_key import RobotKeySpec
from components.specs.robot_order import RobotOrderSpec
from lab.client import RunningLab
from tests.components.robot.test_keys import KEY

MARKET: dict[str, Any] = {"shop": "server_market", "product": "282323", "location": None}


def spec(**parts: Any) -> RobotOrderSpec:
    """An order of a new server."""
    usual = {"reference": "metal-3", "product": "AX41-NVMe", "location": "FSN1", "key": KEY.fingerprint}
    return RobotOrderSpec.model_validate({**usual, **parts})


@pytest.fixture
def orders(robot_login: Robot) -> Orders:
    """Orders of a login that has our key."""
    Keys(robot_login).ensure(RobotKeySpec(name="ops", data=KEY.data))
    return Orders(robot_login)


APPROVED: dict[str, Any] = {"test": False, "approval": "board, minutes of 3 March"}


def test_an_order_is_only_checked_unless_it_is_said_otherwise(orders: Orders) -> None:
    """Nothing is kept of it at Robot."""
    assert orders.place(spec()).status == TESTED
    assert orders.find(spec()) is None


@pytest.mark.parametrize("shop", [{}, MARKET])
def test_an_approved_order_is_placed_once(orders: Orders, lab: RunningLab, shop: dict[str, Any]) -> None:
    """Asked for again it is found; when it is delivered, the server is known."""
    wanted = spec(**APPROVED, **shop)
    placed = orders.place(wanted)
    assert orders.place(wanted).transaction == placed.transaction
    lab.faults.robot.advance(60)
    delivered = orders.get(wanted.shop, placed.transaction)
    assert delivered is not None
    assert (delivered.status, delivered.server) == ("ready", 321_008)  # an order has a number, too


def test_a_lost_answer_never_makes_a_second_order(orders: Orders, lab: RunningLab) -> None:
    """It is looked up by its reference; where nothing was placed, that is an error and not another try."""
    with lab.faults.robot.during("lose_answer", method="POST", path="/order/*", times=1):
        placed = orders.place(spec(**APPROVED))
    assert orders.find(spec()) is not None
    assert placed.transaction
    with lab.faults.robot.during("error", method="POST", path="/order/*"), pytest.raises(RobotUnreachable):
        orders.place(spec(**APPROVED, reference="metal-4"))
    posts = [path for method, path, _ in lab.faults.robot.requests() if method == "POST" and "/order/" in path]
    assert len(posts) == 1  # the second was broken off before Robot, and not sent again


def test_two_orders_under_one_reference_are_for_people(orders: Orders, robot_login: Robot) -> None:
    """Somebody has ordered by hand; nothing more is sent."""
    fields = {"product_id": "AX41-NVMe", "authorized_key[]": [KEY.fingerprint], "comment": spec().comment}
    for _ in range(2):
        robot_login.write("POST", "/order/server/transaction", fields)
    with pytest.raises(RobotError, match="several orders 'slipway metal-3'"):
        orders.place(spec(**APPROVED))


def test_what_robot_does_not_sell_is_refused(orders: Orders) -> None:
    """Already by the check."""
    with pytest.raises(RobotRefused, match="product_id"):
        orders.place(spec(product="EX1"))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"test": False}, "name who approved it, and where"),
        ({"test": False, "approval": "  "}, "name who approved it, and where"),
        ({"location": None}, "a new server needs one"),
        ({**MARKET, "location": "FSN1"}, "a server of the market has its own"),
        ({"key": "SHA256:x"}, "String should match"),
    ],
)
def test_an_order_without_approval_or_place_is_refused(parts: dict[str, Any], problem: str) -> None:
    """Before Robot is asked."""
    with pytest.raises(ValidationError, match=problem):
        spec(**parts)
