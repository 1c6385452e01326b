"""Which of two passwords an engine's child uses at a BMC."""

import pytest
from pydantic import SecretStr

from pxe.hands import driver_in_force
from pxe.power.driver import Driver
from pxe.power.errors import BmcRefused
from pxe.power.fake import FakeMachine, Fault, FaultKind, VirtualClock
from pxe.power.fake_driver import in_process
from pxe.power.interfaces import PowerState
from pxe.power.settings import BmcKind, BmcSettings
from pxe.power.timing import Timing

USER, PASSWORD, FOLLOWING = "slipway", "bmc-password-1", "bmc-password-2"
SETTINGS = BmcSettings(driver=BmcKind.FAKE, address="http://127.0.0.1:1", user=USER, password=SecretStr(PASSWORD))


def chosen(machine: FakeMachine, clock: VirtualClock) -> Driver:
    """Return the driver that is chosen."""

    def connect(settings: BmcSettings) -> Driver:
        timing = Timing(clock=clock, pause=clock.pause)
        return in_process(machine, settings.user, settings.password.get_secret_value(), timing)

    return driver_in_force(SETTINGS, SecretStr(FOLLOWING), connect)


def bmc(password: str) -> tuple[FakeMachine, VirtualClock]:
    """Return a machine whose BMC takes a password, and its clock."""
    clock = VirtualClock()
    return FakeMachine("dl-1", {USER: password}, clock, clock.pause), clock


@pytest.mark.parametrize(("in_force", "refused"), [(PASSWORD, 0), (FOLLOWING, 1)])
def test_the_password_that_is_in_force_is_used(in_force: str, refused: int) -> None:
    """An engine before this one may have set the next; the wrong one is tried once."""
    machine, clock = bmc(in_force)
    driver = chosen(machine, clock)
    for _ in range(2):
        assert driver.power.state() is PowerState.OFF
    assert machine.refused == refused


def test_a_bmc_that_takes_neither_is_asked_by_each_once() -> None:
    """BMCs lock accounts."""
    machine, clock = bmc("changed by hand")
    driver = chosen(machine, clock)
    for _ in range(2):
        with pytest.raises(BmcRefused):
            driver.power.state()
    assert machine.refused == 2


def test_a_bmc_without_time_says_nothing_about_passwords() -> None:
    """The recorded one stands, and whoever asks for something has more patience."""
    machine, clock = bmc(PASSWORD)
    machine.faults.append(Fault(FaultKind.BUSY, times=1))
    assert chosen(machine, clock).power.state() is PowerState.OFF
    assert machine.refused == 0
