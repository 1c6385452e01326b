"""Hetzner's Robot: no BMC of ours, but a reset button and a rescue system. Every call blocks.

A login may send 200 requests an hour for all its servers together, so each method says what it costs; and after three
failed logins the address is locked out, so a refused one is remembered by the client that the process shares.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from components.installation.errors import InstallationError
from components.installation.rescue import RescueDesk
from components.robot.client import Robot
from components.robot.errors import OutOfRequests, RobotError, RobotRefused, RobotUnreachable, WrongCredentials
from components.robot.keys import Keys
from components.specs.robot_key import RobotKeySpec
from pxe.power.errors import BmcBusy, BmcRefused, BmcUnreachable, NoSuchSystem, NotOffered, PowerDisobeyed, PowerError
from pxe.power.interfaces import BootOrder, BootSource, PowerState, RescueSystem
from pxe.power.timing import Timing

_NO_SERVER = "SERVER_NOT_FOUND"
_STATES = {"running": PowerState.ON, "shut off": PowerState.OFF}
_PRESS, _LONG_PRESS = "power", "power_long"
_WRONG_LOGIN = (
    "Robot does not accept the login: check SLIPWAY_BMC_USER and SLIPWAY_BMC_PASSWORD. One try was made; after three "
    "Robot locks this address out for ten minutes"
)


def check(robot: Robot, number: int, seconds: float) -> None:
    """See that the login is good and has this server. One request, one try, at most so many seconds."""
    with meaning(number):
        robot.ask_once(f"/reset/{number}", seconds)


class RobotPower:
    """The reset button; for servers that have one, the power button."""

    def __init__(self, robot: Robot, number: int, timing: Timing) -> None:
        self._robot, self._number, self._timing = robot, number, timing

    def state(self) -> PowerState:
        """Look: one request. Servers without the means are of unknown state."""
        return self._look()[0]

    def on(self) -> None:
        """Press the power button of one that is off, and follow; others are left alone. A request a look."""
        state, buttons = self._look()
        if state is PowerState.OFF:
            self._push(_PRESS, buttons)
            self._follow(PowerState.ON, self._timing.follow)

    def off(self, *, graceful: bool = False) -> None:
        """Press the power button, for long if by force, and follow. Most servers have none."""
        state, buttons = self._look()
        if state is not PowerState.OFF:
            self._push(_PRESS if graceful else _LONG_PRESS, buttons)
            self._follow(PowerState.OFF, self._timing.graceful if graceful else self._timing.follow)

    def cycle(self) -> None:
        """Press reset; nothing proves that it helped but the machine itself."""
        self.reset()

    def reset(self) -> None:
        """Press reset: one request, never repeated."""
        with meaning(self._number):
            self._robot.write("POST", f"/reset/{self._number}", {"type": "hw"})

    def begin(self) -> None:
        """Start it anew: reset, or the power button of one that is off. Two requests.

        A lost answer is put up with: what the machine does shows whether it was pressed.
        """
        state, buttons = self._look()
        try:
            if state is PowerState.OFF and _PRESS in buttons:
                self._push(_PRESS, buttons)
            else:
                self.reset()
        except BmcUnreachable:
            return

    def _look(self) -> tuple[PowerState, frozenset[str]]:
        with meaning(self._number):
            said = self._robot.get(f"/reset/{self._number}")["reset"]
        return _STATES.get(said.get("operating_status"), PowerState.UNKNOWN), frozenset(said["type"])

    def _push(self, button: str, buttons: frozenset[str]) -> None:
        if button not in buttons:
            raise NotOffered(f"server {self._number} has no power button at Robot; it has {', '.join(sorted(buttons))}")
        with meaning(self._number):
            self._robot.write("POST", f"/reset/{self._number}", {"type": button})

    def _follow(self, state: PowerState, seconds: float) -> None:
        if not self._timing.becomes(lambda: self.state() is state, seconds):
            raise PowerDisobeyed(f"server {self._number} is not {state} {seconds:.0f} s after the button was pressed")


class RobotBoot:
    """What Robot has a server boot next."""

    def __init__(self, robot: Robot, number: int) -> None:
        self._robot, self._number = robot, number

    def network_once(self) -> None:
        """There is no network of ours at Robot."""
        raise NotOffered("a server at Robot does not boot from our network: activate its rescue system instead")

    def order(self) -> BootOrder:
        """Look: one request."""
        with meaning(self._number):
            boots = self._robot.get(f"/boot/{self._number}")["boot"]
        active = [name for name, system in boots.items() if system and system.get("active")]
        if not active:
            return BootOrder()
        return BootOrder(BootSource.RESCUE if "rescue" in active else BootSource.OTHER, is_once=True)

    def reset_entries(self) -> None:
        """Deactivate whatever would boot: one request, and one for each that is active."""
        with meaning(self._number):
            boots = self._robot.get(f"/boot/{self._number}")["boot"]
            for name, system in boots.items():
                if system and system.get("active"):
                    self._robot.write("DELETE", f"/boot/{self._number}/{name}", {})


class RobotRescue:
    """The rescue system, with the key of one deployment."""

    def __init__(self, robot: Robot, number: int) -> None:
        self._robot, self._number = robot, number

    def activate(self, public_key: str) -> RescueSystem:
        """Have the next start boot it: eight requests at most; four if it is active already."""
        key = _key_spec(self._number, public_key)
        with meaning(self._number):
            desk = RescueDesk(self._robot)
            server = desk.server(self._number)
            Keys(self._robot).ensure(key)
            last = desk.last(self._number)
            if not (last.is_armed and last.keys == {key.fingerprint}):
                last = desk.activate(self._number, key.fingerprint)
        return RescueSystem(server.address, last.host_keys)

    def deactivate(self, public_key: str) -> None:
        """Have it boot from its disk, and forget the key: three requests at most."""
        RobotBoot(self._robot, self._number).reset_entries()
        with meaning(self._number):
            Keys(self._robot).forget(_key_spec(self._number, public_key).fingerprint)


def key_name(number: int) -> str:
    """Return the name that keys for a server's rescue system have at Robot."""
    return f"slipway deployment {number}"


def _key_spec(number: int, public_key: str) -> RobotKeySpec:
    return RobotKeySpec(name=key_name(number), data=public_key)


@contextmanager
def meaning(number: int) -> Iterator[None]:
    """Have what Robot says to requests for a server raised as drivers do."""
    try:
        yield
    except WrongCredentials:
        raise BmcRefused(_WRONG_LOGIN) from None
    except OutOfRequests as error:
        raise BmcBusy(str(error)) from None
    except RobotUnreachable as error:
        raise BmcUnreachable(str(error)) from None
    except RobotRefused as error:
        raise _refusal(number, error) from None
    except (RobotError, InstallationError) as error:
        raise PowerError(str(error)) from None


def _refusal(number: int, error: RobotRefused) -> PowerError:
    if error.code == _NO_SERVER:
        return NoSuchSystem(f"Robot has no server {number} for this login; check SLIPWAY_BMC_SYSTEM")
    return NotOffered(str(error))
