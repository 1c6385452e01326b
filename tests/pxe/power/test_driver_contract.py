"""What every driver does, against a BMC of its kind: the fake, sushy-tools' emulator, pyghmi's BMC, the lab's Robot."""

import time

import pytest
import tenacity
from pydantic import SecretStr

from pxe.power.driver import Capability
from pxe.power.errors import (
    BmcBusy,
    BmcRefused,
    BmcUnreachable,
    NoSuchSystem,
    NotOffered,
    PowerDisobeyed,
    PowerError,
)
from pxe.power.interfaces import BootSource, PowerState
from tests.fixtures.bmc_rigs import FOR_EVER, Rig

FAKES = ["fake", "fake_http"]
REDFISH, IPMI, ROBOT = (pytest.param(name, marks=pytest.mark.servers) for name in ("redfish", "ipmi", "robot"))
BMCS = [*FAKES, REDFISH, IPMI]
ALL = [*BMCS, ROBOT]

_BOUNDED = 40.0
"""Seconds: far below what anybody would wait without a bound, and enough to start two processes on a busy computer."""

every_kind = pytest.mark.parametrize("rig", ALL, indirect=True)
every_bmc = pytest.mark.parametrize("rig", BMCS, indirect=True)


@every_kind
def test_a_good_bmc_is_valid_and_nothing_is_changed(rig: Rig) -> None:
    """Whatever the machine does goes on."""
    was_on = rig.is_on()
    rig.driver.validate()
    assert rig.is_on() is was_on


@every_kind
def test_an_address_where_nobody_is_is_named(rig: Rig) -> None:
    """Within a few seconds."""
    began = time.monotonic()
    with pytest.raises(BmcUnreachable) as caught:
        rig.nowhere.validate()
    assert (caught.value.field, caught.value.is_retryable) == ("address", True)
    assert time.monotonic() - began < _BOUNDED


@pytest.mark.parametrize("rig", ["fake_http", REDFISH, ROBOT], indirect=True)
def test_a_machine_that_is_not_there_is_named(rig: Rig) -> None:
    """The address and the login are good."""
    assert rig.no_system is not None
    with pytest.raises(NoSuchSystem, match="SLIPWAY_BMC_SYSTEM") as caught:
        rig.no_system.validate()
    assert (caught.value.field, caught.value.is_retryable) == ("system", False)


@every_kind
def test_a_wrong_password_is_tried_once(rig: Rig) -> None:
    """However often it is asked for; another driver with the right one is let in."""
    driver, before = rig.make(rig.user, SecretStr("another password")), rig.tries()
    with pytest.raises(BmcRefused, match="SLIPWAY_BMC_PASSWORD") as caught:
        driver.validate()
    for call in (driver.power.state, driver.power.reset, driver.boot.order, driver.validate):
        with pytest.raises(BmcRefused):
            call()
    assert rig.tries() - before == 1
    assert (caught.value.field, caught.value.is_retryable) == ("user", False)
    assert "another password" not in str(caught.value)
    rig.driver.validate()


@every_kind
def test_a_bmc_that_hangs_is_not_waited_for(rig: Rig) -> None:
    """Neither by validate nor by a call; when it answers again, so does the driver."""
    rig.fail("hang", FOR_EVER)
    began = time.monotonic()
    for call in (rig.driver.validate, rig.driver.power.state):
        with pytest.raises(BmcUnreachable):
            call()
    assert time.monotonic() - began < _BOUNDED
    rig.heal()
    rig.driver.validate()


@every_kind
def test_the_boot_order_is_read(rig: Rig) -> None:
    """Nothing makes a fresh machine boot anything but its own disk."""
    assert rig.driver.boot.order().override in {None, BootSource.DISK}


@every_bmc
def test_a_machine_is_switched_on_and_off(rig: Rig) -> None:
    """Each call comes back when it is done; repeating it is harmless."""
    power = rig.driver.power
    for _ in range(2):
        power.on()
        assert rig.is_on()
        assert power.state() is PowerState.ON
    power.off(graceful=True)
    assert not rig.is_on()
    power.on()
    for _ in range(2):
        power.off()
        assert not rig.is_on()
    power.cycle()
    assert rig.is_on()
    power.reset()
    assert rig.driver.power.state() in {PowerState.ON, PowerState.OFF}


@every_bmc
def test_power_that_does_not_follow_is_told(rig: Rig) -> None:
    """After the time that it has, and no other order is given."""
    rig.fail("disobey", FOR_EVER)
    with pytest.raises(PowerDisobeyed, match="is not on") as caught:
        rig.driver.power.on()
    assert not caught.value.is_retryable
    assert not rig.is_on()


@every_bmc
def test_a_bmc_without_time_is_asked_again(rig: Rig) -> None:
    """What was ordered is done once it has."""
    rig.fail("busy", 3)
    rig.driver.power.on()
    assert rig.is_on()


@every_bmc
def test_a_bmc_that_never_has_time_is_given_up(rig: Rig) -> None:
    """In bounded time by a call, at once by validate."""
    rig.fail("busy", FOR_EVER)
    for call in (rig.driver.validate, rig.driver.power.state):
        with pytest.raises(BmcBusy) as caught:
            call()
        assert caught.value.is_retryable


@every_bmc
def test_the_next_boot_is_from_the_network(rig: Rig) -> None:
    """It is seen by a read, and taken back by a reset of the entries."""
    boot = rig.driver.boot
    boot.network_once()
    assert boot.order().override is BootSource.NETWORK
    boot.reset_entries()
    assert boot.order().override in {None, BootSource.DISK}
    boot.reset_entries()


@every_kind
def test_a_machine_is_started_into_the_deployer(rig: Rig) -> None:
    """Whatever way it has; repeating it starts it anew, and nothing but its own disks is booted after that."""
    rig.make_network()
    looks: list[None] = []
    for _ in range(2):
        rig.driver.deployer.start(lambda: looks.append(None))
        tenacity.Retrying(stop=tenacity.stop_after_delay(_BOUNDED), wait=tenacity.wait_fixed(0.05))(_has_come, rig)
    assert looks
    rig.driver.boot.reset_entries()
    assert rig.driver.boot.order().override in {None, BootSource.DISK}
    rig.driver.deployer.leave()


def _has_come(rig: Rig) -> None:
    assert rig.in_deployer()


@every_kind
def test_a_start_that_nobody_wants_any_more_is_ended(rig: Rig) -> None:
    """What the caller's look raises comes out, and nothing is left that would boot anything else."""
    rig.make_network()
    with pytest.raises(KeyboardInterrupt):
        rig.driver.deployer.start(_cancelled)
    assert rig.driver.boot.order().override in {None, BootSource.DISK}


def _cancelled() -> None:
    raise KeyboardInterrupt


@every_bmc
def test_an_order_to_boot_that_was_ignored_is_seen(rig: Rig) -> None:
    """The BMC takes it, and the read shows that nothing came of it."""
    rig.fail("drop-boot", 1)
    rig.driver.boot.network_once()
    assert rig.driver.boot.order().override in {None, BootSource.DISK}


@every_bmc
def test_users_that_are_not_ours_are_removed_and_our_password_is_new(rig: Rig) -> None:
    """The driver goes on with it; one that knows the old password is refused."""
    accounts = rig.driver.accounts
    assert accounts is not None
    assert [(item.name, item.is_ours) for item in accounts.list()] == [("ours", True), ("intruder", False)]
    made = accounts.reset()
    assert rig.users() == {"ours": made.get_secret_value()}
    assert made.get_secret_value() != rig.password
    assert [item.name for item in accounts.list()] == ["ours"]
    with pytest.raises(BmcRefused):
        rig.make(rig.user, SecretStr(rig.password)).validate()
    rig.make(rig.user, made).validate()


@every_bmc
def test_a_password_that_was_sealed_before_is_the_one_that_is_set(rig: Rig) -> None:
    """So a crash between the BMC's yes and the caller's commit locks nobody out; repeating it is harmless."""
    accounts = rig.driver.accounts
    assert accounts is not None
    for _ in range(2):
        accounts.reset(SecretStr("Sealed0Before0It"))
        assert rig.users() == {"ours": "Sealed0Before0It"}


@every_kind
def test_what_a_driver_has_is_what_it_says(rig: Rig) -> None:
    """A flag and its part go together."""
    driver = rig.driver
    parts = {Capability.ACCOUNTS: driver.accounts, Capability.RESCUE: driver.rescue, Capability.SERIAL: driver.identity}
    for capability, part in parts.items():
        assert (part is not None) is (capability in driver.capabilities)
    if Capability.NETBOOT_ONCE not in driver.capabilities:
        with pytest.raises(NotOffered):
            driver.boot.network_once()
    if Capability.POWER_OFF not in driver.capabilities:
        with pytest.raises(NotOffered):
            driver.power.off()


@pytest.mark.parametrize("rig", [*FAKES, REDFISH], indirect=True)
def test_the_serial_number_is_told(rig: Rig) -> None:
    """So that a machine that was swapped is noticed."""
    assert rig.driver.identity is not None
    assert rig.driver.identity.serial() == "SN-0001"


def test_every_error_says_whether_to_try_again() -> None:
    """The ones that heal by themselves, and no other."""
    retryable = {kind for kind in PowerError.__subclasses__() if kind.is_retryable}
    assert retryable == {BmcBusy, BmcUnreachable}
