"""The fake's driver: the same parts as the others, to a machine in this process or behind an HTTP server."""

from typing import Any, Protocol

import requests
from pydantic import SecretStr

from pxe.power.driver import Capability, Driver
from pxe.power.errors import BmcBusy, BmcRefused, BmcUnreachable, NoSuchSystem, NotOffered, PowerDisobeyed
from pxe.power.fake import FakeMachine, Hangs
from pxe.power.gate import Gate
from pxe.power.interfaces import BmcAccount, BootOrder, BootSource, PowerState
from pxe.power.login import Login
from pxe.power.settings import new_password
from pxe.power.starting import NetworkStart
from pxe.power.timing import Timing

_UNAUTHORIZED, _NOT_FOUND, _UNAVAILABLE = 401, 404, 503


class Wire(Protocol):
    """How a fake BMC is reached."""

    def call(self, login: Login, verb: str, arguments: dict[str, Any], seconds: float) -> Any:
        """Make one call; blocks for at most so many seconds."""


def in_process(machine: FakeMachine, user: str, password: str, timing: Timing) -> Driver:
    """Compose the driver of a fake machine of this process. ``timing`` has to have the machine's clock."""
    return _compose(_InProcess(machine, timing), Login(user, SecretStr(password)), timing)


def over_http(address: str, system: str, user: str, password: SecretStr, timing: Timing) -> Driver:
    """Compose the driver of a fake machine behind an HTTP server. Sends nothing.

    The server takes ``POST ADDRESS/machines/SYSTEM/VERB`` with a JSON object of arguments and basic authentication, and
    answers with ``{"answer": …}``, 401, 404, 422 with ``{"detail": …}``, or 503.
    """
    return _compose(_OverHttp(f"{address.rstrip('/')}/machines/{system}"), Login(user, password), timing)


def _compose(wire: Wire, login: Login, timing: Timing) -> Driver:
    bmc = _FakeBmc(wire, login, timing)
    power, boot = FakePower(bmc, timing), FakeBoot(bmc)
    return Driver(
        name="fake",
        power=power,
        boot=boot,
        deployer=NetworkStart(power, boot),
        capabilities=frozenset(Capability) - {Capability.RESCUE},
        check=bmc.check,
        accounts=FakeAccounts(bmc),
        identity=FakeIdentity(bmc),
    )


class _InProcess:
    def __init__(self, machine: FakeMachine, timing: Timing) -> None:
        self._machine, self._timing = machine, timing

    def call(self, login: Login, verb: str, arguments: dict[str, Any], seconds: float) -> Any:
        try:
            return self._machine.call(login.user, login.password, verb, arguments)
        except Hangs:
            self._timing.pause(seconds)
            raise BmcUnreachable(f"the BMC of {self._machine.name} did not answer in {seconds:.0f} s") from None


class _OverHttp:
    def __init__(self, place: str) -> None:
        self._place = place

    def call(self, login: Login, verb: str, arguments: dict[str, Any], seconds: float) -> Any:
        try:
            with requests.Session() as http:
                http.trust_env = False
                answer = http.post(
                    f"{self._place}/{verb}", json=arguments, auth=(login.user, login.password), timeout=seconds
                )
        except requests.RequestException as error:
            raise BmcUnreachable(f"the BMC at {self._place} did not answer: {type(error).__name__}") from None
        if answer.status_code == requests.codes.ok:
            return answer.json()["answer"]
        raise self._meaning(answer, login)

    def _meaning(self, answer: requests.Response, login: Login) -> Exception:
        if answer.status_code == _UNAUTHORIZED:
            return BmcRefused(
                f"the BMC at {self._place} does not accept the login of '{login.user}': check SLIPWAY_BMC_USER and "
                "SLIPWAY_BMC_PASSWORD. One try was made"
            )
        if answer.status_code == _NOT_FOUND:
            return NoSuchSystem(f"there is no machine at {self._place}; check SLIPWAY_BMC_SYSTEM")
        if answer.status_code == _UNAVAILABLE:
            return BmcBusy(f"the BMC at {self._place} has no time; try again later")
        return NotOffered(f"the BMC at {self._place} answered {answer.status_code}: {answer.text}")


class _FakeBmc:
    def __init__(self, wire: Wire, login: Login, timing: Timing) -> None:
        self.login, self._wire, self._timing = login, wire, timing
        self._gate = Gate()

    def ask(self, verb: str, **arguments: Any) -> Any:
        """Make one call, again while the BMC has no time."""
        with self._gate.talk():
            return self._timing.patient(lambda: self._wire.call(self.login, verb, arguments, self._timing.call))

    def check(self) -> None:
        with self._gate.talk(self._timing.check):
            self._wire.call(self.login, "power", {}, self._timing.check)


class FakePower:
    """Power of a fake machine."""

    def __init__(self, bmc: _FakeBmc, timing: Timing) -> None:
        self._bmc, self._timing = bmc, timing

    def state(self) -> PowerState:
        """Look."""
        return PowerState(self._bmc.ask("power"))

    def on(self) -> None:
        """Switch it on and follow."""
        self._order("on", PowerState.ON, self._timing.follow)

    def off(self, *, graceful: bool = False) -> None:
        """Switch it off and follow."""
        seconds = self._timing.graceful if graceful else self._timing.follow
        self._order("graceful" if graceful else "off", PowerState.OFF, seconds)

    def cycle(self) -> None:
        """Switch it off, then on, each followed."""
        self.off()
        self.on()

    def reset(self) -> None:
        """Press reset, or switch it on."""
        self._bmc.ask("set_power", state="reset")

    def _order(self, order: str, state: PowerState, seconds: float) -> None:
        if self.state() is state:
            return
        self._bmc.ask("set_power", state=order)
        if not self._timing.becomes(lambda: self.state() is state, seconds):
            raise PowerDisobeyed(f"the machine is not {state} {seconds:.0f} s after its BMC took the order; look at it")


class FakeBoot:
    """Boot order of a fake machine."""

    def __init__(self, bmc: _FakeBmc) -> None:
        self._bmc = bmc

    def network_once(self) -> None:
        """Have its next boot be from the network."""
        self._bmc.ask("network_once")

    def order(self) -> BootOrder:
        """Look."""
        said = self._bmc.ask("boot")
        override = said["override"]
        if override is None:
            return BootOrder(entries=tuple(said["entries"]))
        return BootOrder(BootSource(override), is_once=True, entries=tuple(said["entries"]))

    def reset_entries(self) -> None:
        """No override, and the disk first."""
        self._bmc.ask("reset_entries")


class FakeAccounts:
    """Users of a fake BMC."""

    def __init__(self, bmc: _FakeBmc) -> None:
        self._bmc = bmc

    def list(self) -> tuple[BmcAccount, ...]:
        """Look."""
        ours = self._bmc.login.user
        return tuple(BmcAccount(name, name, is_enabled=True, is_ours=name == ours) for name in self._bmc.ask("users"))

    def reset(self, password: SecretStr | None = None) -> SecretStr:
        """Remove every account but ours, and give ours a new password."""
        made = password or new_password()
        for account in self.list():
            if not account.is_ours:
                self._bmc.ask("remove_user", name=account.name)
        self._bmc.ask("set_password", name=self._bmc.login.user, password=made.get_secret_value())
        self._bmc.login.renew(made)
        self._bmc.ask("power")
        return made


class FakeIdentity:
    """Which fake machine this is."""

    def __init__(self, bmc: _FakeBmc) -> None:
        self._bmc = bmc

    def serial(self) -> str:
        """Return its serial number."""
        return str(self._bmc.ask("serial"))
