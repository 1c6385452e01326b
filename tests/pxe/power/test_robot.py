"""What is Robot's own: a rescue system instead of a network, and requests that are counted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from components.robot.budget import RequestBudget
from components.robot.client import Robot
from pxe.power.driver import Capability, Driver
from pxe.power.errors import BmcBusy, BmcUnreachable, NoSuchSystem, NotOffered, PowerDisobeyed
from pxe.power.interfaces import BootSource, PowerState
from pxe.power.robot_driver import robot_driver
from tests.fakes.certificates import ssh_key
from tests.fixtures.bmc_rigs import Rig, fake_machine

if TYPE_CHECKING:
    from lab.client import RunningLab

pytestmark = pytest.mark.processes

KEY, OTHER = ssh_key("deployment"), ssh_key("another")


def _sent(lab: "RunningLab") -> list[str]:
    return [f"{method} {path}" for method, path, _good in lab.faults.robot.requests()]


def test_the_rescue_system_is_what_robot_has_instead_of_a_network(robot: Rig, lab: "RunningLab") -> None:
    """Activated with the deployment's key, it is what the next start boots; a reset starts it, once."""
    rescue, boot = robot.driver.rescue, robot.driver.boot
    assert rescue is not None
    assert robot.driver.capabilities == {Capability.RESCUE}
    made = rescue.activate(KEY)
    assert made.address == "198.18.0.2"
    assert len(made.host_keys) == 1
    assert (boot.order().override, boot.order().is_once) == (BootSource.RESCUE, True)
    robot.driver.power.cycle()
    assert "POST /reset/321001" in _sent(lab)
    assert boot.order().override is None


def test_activating_again_keeps_what_is_there(robot: Rig, lab: "RunningLab") -> None:
    """The same host key, and no second activation; another key replaces the first."""
    rescue = robot.driver.rescue
    assert rescue is not None
    made = rescue.activate(KEY)
    assert rescue.activate(KEY) == made
    assert _sent(lab).count("POST /boot/321001/rescue") == 1
    assert rescue.activate(OTHER) != made


def test_deactivating_leaves_neither_a_rescue_system_nor_a_key(robot: Rig, lab: "RunningLab") -> None:
    """Repeating it is harmless."""
    rescue = robot.driver.rescue
    assert rescue is not None
    rescue.activate(KEY)
    for _ in range(2):
        rescue.deactivate(KEY)
        assert robot.driver.boot.order().override is None
    section = lab.document.robot
    keys = httpx.get(f"{section.base_url}/key", auth=(section.login, section.password))
    assert keys.status_code == 404


def test_requests_are_few(robot: Rig, lab: "RunningLab") -> None:
    """A login has 200 an hour for all of its servers."""
    rescue = robot.driver.rescue
    assert rescue is not None
    costs = []
    for call in (
        robot.driver.validate,
        robot.driver.power.state,
        robot.driver.boot.order,
        lambda: rescue.activate(KEY),
        lambda: rescue.activate(KEY),
        robot.driver.power.reset,
        lambda: rescue.deactivate(KEY),
    ):
        before = len(_sent(lab))
        call()
        costs.append(len(_sent(lab)) - before)
    assert costs == [1, 1, 1, 8, 4, 1, 2]


def test_the_hour_s_requests_are_a_matter_of_waiting(robot: Rig, lab: "RunningLab") -> None:
    """Nothing is wrong with the machine."""
    lab.faults.robot.set_rate_limit(1)
    robot.driver.validate()
    with pytest.raises(BmcBusy):
        robot.driver.validate()


def test_a_server_that_is_not_there_cannot_be_reset(robot: Rig) -> None:
    """It is named."""
    assert robot.no_system is not None
    with pytest.raises(NoSuchSystem, match="SLIPWAY_BMC_SYSTEM"):
        robot.no_system.power.reset()


def test_reset_is_pressed_once_though_the_answer_was_lost(robot: Rig, lab: "RunningLab") -> None:
    """Whether it was pressed is for the caller to find out."""
    lab.faults.robot.add("lose_answer", path="/reset/*", method="POST")
    with pytest.raises(BmcUnreachable):
        robot.driver.power.reset()
    assert _sent(lab).count("POST /reset/321001") == 1


class _Button:
    """Robot's view of a server that has a power button."""

    def __init__(self) -> None:
        self.status, self.obeys = "shut off", True
        self.pressed: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.method == "POST":
            self.pressed.append(request.content.decode())
            if self.obeys:
                self.status = "running" if self.status == "shut off" else "shut off"
        reset: dict[str, Any] = {"type": ["hw", "power", "power_long"], "operating_status": self.status}
        return httpx.Response(200, json={"reset": reset})


@pytest.fixture
def button() -> _Button:
    """A server with a power button."""
    return _Button()


@pytest.fixture
def driver(button: _Button) -> Iterator[Driver]:
    """Its driver, on a virtual clock."""
    _, timing = fake_machine()
    with httpx.Client(base_url="https://robot.example", transport=httpx.MockTransport(button)) as http:
        yield robot_driver(Robot(http, RequestBudget(lambda: 0.0), timing.pause), 321, timing)


def test_a_power_button_is_pressed_where_there_is_one(button: _Button, driver: Driver) -> None:
    """Only when it has to be: a press on a machine that runs would shut it down."""
    for _ in range(2):
        driver.power.on()
    assert driver.power.state() is PowerState.ON
    driver.power.off()
    driver.power.on()
    driver.power.off(graceful=True)
    assert button.pressed == ["type=power", "type=power_long", "type=power", "type=power"]


def test_a_button_that_does_nothing_is_told(button: _Button, driver: Driver) -> None:
    """After the time that it has."""
    button.obeys = False
    with pytest.raises(PowerDisobeyed, match="is not on"):
        driver.power.on()
    assert button.pressed == ["type=power"]


def test_a_server_without_a_button_cannot_be_switched_off(robot: Rig) -> None:
    """The error says what it has."""
    with pytest.raises(NotOffered, match="hw, man, sw"):
        robot.driver.power.off()


def test_a_lost_answer_of_validate_is_not_asked_for_again(robot: Rig, lab: "RunningLab") -> None:
    """It has to come back within seconds."""
    lab.faults.robot.add("error", status=503)
    before = lab.faults.robot.all()[0].hits
    with pytest.raises(BmcUnreachable):
        robot.driver.validate()
    assert lab.faults.robot.all()[0].hits - before == 1
