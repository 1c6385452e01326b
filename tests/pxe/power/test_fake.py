"""The fake machine: what it does when, and what can go wrong with it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from lab.metal.fake_bmc import serve_fake_bmcs
from pxe.power.driver import Driver
from pxe.power.errors import BmcBusy, BmcRefused, PowerDisobeyed, PowerError
from pxe.power.fake import Delays, FakeMachine, Fault, FaultKind
from pxe.power.fake_driver import in_process, over_http
from pxe.power.interfaces import BootSource, PowerState
from pxe.power.timing import Timing
from tests.fixtures.bmc_rigs import PASSWORD, USER, fake_machine

ROOT = Path(__file__).parents[3]
NETWORK, DISK = BootSource.NETWORK, BootSource.DISK


def _driver(machine: FakeMachine, timing: Timing) -> Driver:
    return in_process(machine, USER, PASSWORD, timing)


def test_time_passes_as_told() -> None:
    """Sixty seconds of a machine in none of ours."""
    machine, timing = fake_machine(delays=Delays(answer=0.5, on=40.0))
    _driver(machine, timing).power.on()
    assert 40 <= timing.clock() <= 45


def test_a_machine_boots_from_the_network_once() -> None:
    """Then from its disk again."""
    machine, timing = fake_machine()
    driver = _driver(machine, timing)
    driver.boot.network_once()
    driver.power.on()
    driver.power.cycle()
    assert machine.boots == [NETWORK, DISK]


def test_whoever_plays_the_system_is_told_of_each_start() -> None:
    """And can restart the machine or switch it off, as an initrd does."""
    heard: list[tuple[PowerState, BootSource | None]] = []
    machine, timing = fake_machine(on_power=lambda state, source: heard.append((state, source)))
    driver = _driver(machine, timing)
    driver.boot.network_once()
    driver.power.on()
    machine.reboot_itself()
    machine.power_off_itself()
    on, off = PowerState.ON, PowerState.OFF
    assert heard == [(on, NETWORK), (off, None), (on, DISK), (off, None)]
    assert driver.power.state() is off


def test_a_machine_that_ignores_once_boots_from_the_network_again_and_again() -> None:
    """The read shows it after the first boot."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.KEEP_BOOT_ONCE, None)])
    driver = _driver(machine, timing)
    driver.boot.network_once()
    driver.power.on()
    assert driver.boot.order().override is NETWORK
    driver.power.cycle()
    assert machine.boots == [NETWORK, NETWORK]


def test_a_lost_boot_order_is_seen_and_set_right() -> None:
    """Network first is not what a customer's machine shall have."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.LOSE_BOOT_ORDER)])
    driver = _driver(machine, timing)
    driver.power.on()
    assert (machine.boots, driver.boot.order().entries) == ([NETWORK], ("network", "disk"))
    driver.boot.reset_entries()
    assert driver.boot.order().entries == ("disk", "network")


def test_a_power_cut_ends_what_runs_and_what_was_ordered() -> None:
    """The BMC lives on, and the machine stays off until it is told otherwise."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.POWER_CUT, times=1, verb="boot")])
    driver = _driver(machine, timing)
    driver.power.on()
    driver.boot.order()
    assert driver.power.state() is PowerState.OFF
    driver.power.reset()
    machine.cut_power()
    timing.pause(60)
    assert driver.power.state() is PowerState.OFF


def test_a_fault_may_be_meant_for_one_call() -> None:
    """Others pass."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.BUSY, None, verb="set_power")])
    driver = _driver(machine, timing)
    assert driver.power.state() is PowerState.OFF
    with pytest.raises(BmcBusy):
        driver.power.on()
    assert machine.calls["set_power"] == 0


def test_a_bmc_may_refuse_a_login_that_is_right() -> None:
    """As one does whose account was locked; nothing more is sent."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.REFUSE)])
    driver = _driver(machine, timing)
    for _ in range(3):
        with pytest.raises(BmcRefused):
            driver.power.state()
    assert machine.refused == 1


def _life(seed: int) -> list[str]:
    faults = [Fault(kind, None, chance=0.2) for kind in (FaultKind.BUSY, FaultKind.DISOBEY, FaultKind.HANG)]
    machine, timing = fake_machine(seed=seed, faults=faults)
    driver = _driver(machine, timing)
    told = []
    for call in [driver.power.on, driver.power.cycle, driver.power.off] * 5:
        try:
            call()
        except PowerError as error:
            told.append(type(error).__name__)
        else:
            told.append(f"{machine.power} {timing.clock():.2f}")
    return told


def test_the_same_seed_is_the_same_life() -> None:
    """And another one another."""
    assert _life(1) == _life(1)
    assert _life(1) != _life(2)


def test_another_process_uses_it_by_the_environment(tmp_path: Path) -> None:
    """As the engine's child does; the machine is this process's to look at and to break."""
    machine, _ = fake_machine()
    program = (
        "from pxe.power.connection import driver_from_environment as made\n"
        "driver = made(); driver.validate(); driver.boot.network_once(); driver.power.reset()\n"
        "print(driver.boot.order().override)"
    )
    with serve_fake_bmcs({"m-1": machine}) as address:
        environment = {
            "PYTHONPATH": str(ROOT),
            "SLIPWAY_BMC_DRIVER": "fake",
            "SLIPWAY_BMC_ADDRESS": address,
            "SLIPWAY_BMC_SYSTEM": "m-1",
            "SLIPWAY_BMC_USER": USER,
            "SLIPWAY_BMC_PASSWORD": PASSWORD,
        }
        answer = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=60
        )
    assert answer.stdout.decode().strip() == "network"
    assert machine.calls == {"power": 1, "network_once": 1, "set_power": 1, "boot": 1}


def test_a_power_fault_is_seen_through_the_server() -> None:
    """In virtual seconds."""
    machine, timing = fake_machine(faults=[Fault(FaultKind.DISOBEY)])
    with serve_fake_bmcs({"m-1": machine}) as address:
        driver = over_http(address, "m-1", USER, SecretStr(PASSWORD), timing)
        with pytest.raises(PowerDisobeyed):
            driver.power.on()
        driver.power.on()
    assert machine.power == "on"
    assert json.dumps(machine.boots) == '["disk"]'
