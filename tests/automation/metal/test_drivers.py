"""A machine's power by a real driver, against fake BMCs behind HTTP; and what the runner's fake has to be like."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from pydantic import SecretStr

from api.machines.bmc import BmcAccess
from api.machines.models import BmcDriver
from api.vault import Vault, generate_key
from automation.metal.drivers import BmcDrivers
from automation.metal.passwords import settings_of
from automation.metal.power import PowerDrivers, PowerFailed, PowerVerb
from lab.metal.fake_bmc import serve_fake_bmcs
from pxe.power.driver import Driver
from pxe.power.fake import FakeMachine, Fault, FaultKind, VirtualClock
from pxe.power.fake_driver import over_http
from pxe.power.interfaces import BootSource, PowerState
from pxe.power.settings import BmcSettings
from pxe.power.timing import Timing
from tests.fakes.machine_power import FakePowerDrivers

PASSWORD = "first password"


@dataclass
class Rack:
    """A machine, and how it is reached."""

    machine: FakeMachine
    drivers: BmcDrivers
    access: BmcAccess


@contextmanager
def _rack() -> Iterator[Rack]:
    clock, vault = VirtualClock(), Vault(generate_key())
    machine = FakeMachine("iron-1", {"ours": PASSWORD, "customer": "theirs"}, clock, clock.pause)
    timing = Timing(check=30, call=30, busy=1, follow=5, graceful=5, poll=0.5, clock=clock, pause=clock.pause)

    def connect(settings: BmcSettings) -> Driver:
        password = SecretStr(settings.password.get_secret_value())
        return over_http(settings.address, settings.system, settings.user, password, timing)

    with serve_fake_bmcs({"iron-1": machine}) as address:
        access = BmcAccess("iron-1", BmcDriver.FAKE, address, "iron-1", "ours", True, vault.seal(PASSWORD))  # noqa: FBT003 - a column
        yield Rack(machine, BmcDrivers(lambda known: settings_of(known, vault), connect), access)


@pytest.fixture
def rack() -> Iterator[Rack]:
    """Return a machine behind a fake BMC."""
    with _rack() as made:
        yield made


def test_a_machine_boots_from_the_network_once(rack: Rack) -> None:
    """Whether it was on or off before; the boot after that is its own."""
    for state in (PowerState.OFF, PowerState.ON):
        rack.machine.power = state
        rack.drivers.open(rack.access).boot_from_network()
        assert (rack.machine.power, rack.machine.boots[-1]) == (PowerState.ON, BootSource.NETWORK)
    rack.machine.reboot_itself()
    assert rack.machine.boots[-1] is BootSource.DISK


def test_what_its_last_user_left_at_the_bmc_is_gone(rack: Rack) -> None:
    """Users and boot order; our own login stays as it is deposited."""
    rack.machine.power = PowerState.ON
    rack.machine.order = (BootSource.NETWORK, BootSource.DISK)
    rack.drivers.open(rack.access).leave_clean()
    assert (rack.machine.power, rack.machine.order[0]) == (PowerState.OFF, BootSource.DISK)
    assert rack.machine.users == {"ours": PASSWORD}


@pytest.mark.parametrize(
    ("verb", "before", "after", "boots"),
    [
        (PowerVerb.ON, PowerState.OFF, PowerState.ON, 1),
        (PowerVerb.ON, PowerState.ON, PowerState.ON, 0),
        (PowerVerb.OFF, PowerState.ON, PowerState.OFF, 0),
        (PowerVerb.CYCLE, PowerState.ON, PowerState.ON, 1),
        (PowerVerb.CYCLE, PowerState.OFF, PowerState.ON, 1),
    ],
)
def test_staffs_verbs(rack: Rack, verb: PowerVerb, before: PowerState, after: PowerState, boots: int) -> None:
    """By force; none of them makes it boot from the network."""
    rack.machine.power = before
    rack.drivers.open(rack.access).do(verb)
    assert (rack.machine.power, rack.machine.boots) == (after, [BootSource.DISK] * boots)


def test_a_refused_login_is_final_and_no_time_is_not(rack: Rack) -> None:
    """The one could lock the account; the other heals by itself."""
    rack.machine.faults.append(Fault(FaultKind.REFUSE, times=1))
    with pytest.raises(PowerFailed, match="does not accept the login") as refused:
        rack.drivers.open(rack.access).boot_from_network()
    rack.machine.faults[:] = [Fault(FaultKind.BUSY, times=None)]
    with pytest.raises(PowerFailed, match="no time") as busy:
        rack.drivers.open(rack.access).boot_from_network()
    assert (refused.value.is_retryable, busy.value.is_retryable) == (False, True)


def test_without_a_password_or_with_a_record_that_cannot_be_meant_nothing_is_sent(rack: Rack) -> None:
    """The message says which of the two, and holds no secret."""
    with pytest.raises(PowerFailed, match="was not deposited"):
        rack.drivers.open(replace(rack.access, password_encrypted=None))
    with pytest.raises(PowerFailed, match="not an http or https address") as wrong:
        rack.drivers.open(replace(rack.access, address="nowhere"))
    assert PASSWORD not in str(wrong.value)
    assert (rack.machine.calls.total(), rack.machine.refused) == (0, 0)


@pytest.fixture(params=["real", "fake"])
def either(request: pytest.FixtureRequest) -> Iterator[tuple[PowerDrivers, BmcAccess, list[FaultKind]]]:
    """Return drivers of either kind, and a list into which a fault can be put."""
    with _rack() as rack:
        if request.param == "real":
            yield rack.drivers, rack.access, _Faults(rack.machine)
        else:
            fake = FakePowerDrivers()
            yield fake, rack.access, _FakeFaults(fake)


class _Faults(list[FaultKind]):
    def __init__(self, machine: FakeMachine) -> None:
        super().__init__()
        self._machine = machine

    def append(self, kind: FaultKind) -> None:
        self._machine.faults.append(Fault(kind, times=1))


class _FakeFaults(list[FaultKind]):
    def __init__(self, drivers: FakePowerDrivers) -> None:
        super().__init__()
        self._drivers = drivers

    def append(self, kind: FaultKind) -> None:
        failure = PowerFailed("bmc_failed", f"The BMC does as {kind} says.", is_retryable=False)
        self._drivers.failures["iron-1"].append(failure)


def test_the_runners_fake_keeps_the_contract(either: tuple[PowerDrivers, BmcAccess, list[FaultKind]]) -> None:
    """Each method can be called again and again; one that fails raises ``PowerFailed``, and the next works."""
    drivers, access, faults = either
    for _ in range(2):
        power = drivers.open(access)
        power.boot_from_network()
        power.do(PowerVerb.OFF)
        power.do(PowerVerb.ON)
        power.leave_clean()
    faults.append(FaultKind.REFUSE)
    with pytest.raises(PowerFailed) as failed:
        drivers.open(access).boot_from_network()
    assert not failed.value.is_retryable
    drivers.open(access).boot_from_network()
