"""The lab's IPMI controller, as pyghmi's client sees it, in front of a switch that is no machine."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.command import Command

from lab.metal.ipmi import IpmiController
from lab.metal.qemu import BootDevice


@dataclass
class _Switch:
    is_on: bool = False
    boot_device: BootDevice = BootDevice.DISK
    done: list[str] = field(default_factory=list)

    def power_on(self) -> None:
        self.is_on = True
        self.done.append("on")

    def power_off(self) -> None:
        self.is_on = False
        self.done.append("off")

    def reset(self) -> None:
        self.done.append("reset")

    def set_boot_device(self, device: BootDevice, *, once: bool = False) -> None:
        self.boot_device = device
        self.done.append(f"{device} {'once' if once else 'always'}")


@pytest.fixture
def switch() -> _Switch:
    """A power switch that notes what it is told."""
    return _Switch()


@pytest.fixture
def controller(switch: _Switch) -> Iterator[IpmiController]:
    """It, behind a controller."""
    with IpmiController(switch, user="slipway", password="ipmi-of-a-test") as running:
        yield running


@pytest.fixture
def client(controller: IpmiController) -> Iterator[Command]:
    """A session with the controller."""
    command = Command("127.0.0.1", controller.user, controller.password, port=controller.port)
    yield command
    command.ipmi_session.logout()


def test_power_obeys(client: Command, switch: _Switch) -> None:
    """State, on, reset and off."""
    assert client.get_power()["powerstate"] == "off"
    client.set_power("on")
    assert client.get_power()["powerstate"] == "on"
    client.set_power("reset")
    client.set_power("off")

    assert switch.done == ["on", "reset", "off"]


def test_boot_once_and_always_are_told_apart(client: Command, switch: _Switch) -> None:
    """The flags' persistent bit arrives."""
    client.set_bootdev("network")
    client.set_bootdev("hd", persist=True)

    assert switch.done == ["pxe once", "disk always"]
    assert client.get_bootdev()["bootdev"] == "hd"


def test_a_wrong_password_is_refused(controller: IpmiController) -> None:
    """No session without it."""
    with pytest.raises(IpmiException):
        Command("127.0.0.1", controller.user, "wrong", port=controller.port)
