"""A machine and its BMC that are not there: power, boot order and users with delays and faults. No I/O.

Deterministic: what happens depends on the seed, the calls and the clock. :mod:`pxe.power.fake_driver` speaks to it in
the same process or over HTTP.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pxe.power.errors import BmcBusy, BmcRefused, NotOffered
from pxe.power.interfaces import BootSource, PowerState


class FaultKind(StrEnum):
    """What goes wrong."""

    BUSY = "busy"
    """The BMC has no time (HTTP's 503)."""
    HANG = "hang"
    """The BMC takes the connection and never answers; nothing is done."""
    REFUSE = "refuse"
    """The BMC refuses a login that is right."""
    DISOBEY = "disobey"
    """The BMC takes an order for the power, and nothing happens."""
    DROP_BOOT_ONCE = "drop-boot-once"
    """The BMC takes the order for the next boot and forgets it."""
    KEEP_BOOT_ONCE = "keep-boot-once"
    """The machine boots from the network again and again, though it was told to do so once."""
    LOSE_BOOT_ORDER = "lose-boot-order"
    """At its next boot the machine has forgotten its own order: network first, no override."""
    POWER_CUT = "power-cut"
    """Before the call is served, the machine loses its power and stays off; the BMC lives on."""


@dataclass
class Fault:
    """Something that goes wrong.

    Attributes:
        times: how often; None for ever.
        verb: at which call of the BMC; ``*`` at any. Faults of a boot know no verb.
        chance: how likely at each occasion.
    """

    kind: FaultKind
    times: int | None = 1
    verb: str = "*"
    chance: float = 1.0


class VirtualClock:
    """Seconds that pass when somebody waits, in no time. Thread-safe."""

    def __init__(self) -> None:
        self._now, self._lock = 0.0, threading.Lock()

    def __call__(self) -> float:
        """Now."""
        with self._lock:
            return self._now

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds that things take: an answer, and the machine's changes after the order was taken."""

    answer: float = 0.0
    on: float = 2.0
    off: float = 1.0
    graceful: float = 20.0


class Hangs(Exception):  # noqa: N818 - what the BMC does
    """The BMC will not answer this call."""


@dataclass
class _Pending:
    at: float
    state: PowerState
    then: PowerState | None = None


@dataclass
class FakeMachine:
    """The machine and its BMC. Thread-safe.

    Attributes:
        users: of the BMC, with their passwords.
        clock: seconds that only grow.
        pause: waits, for the delay of answers.
        on_power: told of each change, with what the machine boots if it is switched on; for whoever plays what runs on
            it. Changes are noticed when somebody looks, at the latest by :meth:`settle`.
        calls: how often each verb was asked for by a login that was good.
        refused: logins that were not accepted.
        boots: what it has booted, oldest first.
    """

    name: str
    users: dict[str, str]
    clock: Callable[[], float]
    pause: Callable[[float], None]
    serial: str = ""
    seed: int = 0
    delays: Delays = field(default_factory=Delays)
    faults: list[Fault] = field(default_factory=list)
    on_power: Callable[[PowerState, BootSource | None], None] = lambda _state, _source: None
    power: PowerState = PowerState.OFF
    order: tuple[BootSource, ...] = (BootSource.DISK, BootSource.NETWORK)
    override: BootSource | None = None
    calls: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    boots: list[BootSource] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._chance = random.Random(f"{self.seed}:{self.name}")  # noqa: S311 - reproducible, no secret
        self._pending: _Pending | None = None
        self._verbs: dict[str, Callable[..., Any]] = {
            "power": lambda: self.power,
            "set_power": self._set_power,
            "boot": self._boot_order,
            "network_once": self._network_once,
            "reset_entries": self._reset_entries,
            "users": lambda: list(self.users),
            "remove_user": self._remove_user,
            "set_password": self._set_password,
            "serial": lambda: self.serial,
        }

    def call(self, user: str, password: str, verb: str, arguments: dict[str, Any]) -> Any:
        """Serve one call of the BMC.

        Raises:
            Hangs: there will be no answer.
            BmcBusy: no time.
            BmcRefused: the login is not accepted.
            NotOffered: there is no such verb, or nothing that it could be done to.
        """
        self.pause(self.delays.answer)
        with self._lock:
            if self._goes_wrong(FaultKind.POWER_CUT, verb):
                self.cut_power()
            self.settle()
            if self._goes_wrong(FaultKind.HANG, verb):
                raise Hangs
            if self._goes_wrong(FaultKind.BUSY, verb):
                raise BmcBusy(f"the BMC of {self.name} has no time; try again later")
            if self.users.get(user) != password or self._goes_wrong(FaultKind.REFUSE, verb):
                self.refused += 1
                raise BmcRefused(
                    f"the BMC of {self.name} does not accept the login of '{user}': check SLIPWAY_BMC_USER and "
                    "SLIPWAY_BMC_PASSWORD. One try was made"
                )
            serve = self._verbs.get(verb)
            if serve is None:
                raise NotOffered(f"the BMC of {self.name} does not know '{verb}'")
            self.calls[verb] += 1
            return serve(**arguments)

    def settle(self) -> None:
        """Have happened what is due by now."""
        with self._lock:
            while self._pending is not None and self._pending.at <= self.clock():
                due, self._pending = self._pending, None
                if due.then is not None:
                    self._pending = _Pending(due.at + self.delays.on, due.then)
                self._become(due.state)

    def cut_power(self) -> None:
        """Take its power away: whatever runs ends now, and what was ordered does not happen."""
        with self._lock:
            self._pending = None
            self._become(PowerState.OFF)

    def power_off_itself(self) -> None:
        """What runs on it switches it off."""
        self.cut_power()

    def reboot_itself(self) -> None:
        """What runs on it restarts it."""
        with self._lock:
            self._pending = None
            self._become(PowerState.OFF)
            self._become(PowerState.ON)

    def _become(self, state: PowerState) -> None:
        if state is self.power:
            return
        self.power = state
        source = self._boot() if state is PowerState.ON else None
        self.on_power(state, source)

    def _boot(self) -> BootSource:
        if self._goes_wrong(FaultKind.LOSE_BOOT_ORDER):
            self.override, self.order = None, (BootSource.NETWORK, BootSource.DISK)
        source = self.override or self.order[0]
        if not self._goes_wrong(FaultKind.KEEP_BOOT_ONCE):
            self.override = None
        self.boots.append(source)
        return source

    def _goes_wrong(self, kind: FaultKind, verb: str = "*") -> bool:
        for fault in self.faults:
            is_meant = fault.kind is kind and fault.verb in {"*", verb} and fault.times != 0
            if is_meant and (fault.chance >= 1.0 or self._chance.random() < fault.chance):
                if fault.times is not None:
                    fault.times -= 1
                return True
        return False

    def _set_power(self, state: str) -> None:
        if self._goes_wrong(FaultKind.DISOBEY, "set_power"):
            return
        now, is_on = self.clock(), self.power is PowerState.ON
        if state in {"on", "reset"} and not is_on:
            self._pending = _Pending(now + self.delays.on, PowerState.ON)
        elif state == "reset":
            self._pending = _Pending(now, PowerState.OFF, then=PowerState.ON)
        elif state in {"off", "graceful"} and is_on:
            delay = self.delays.graceful if state == "graceful" else self.delays.off
            self._pending = _Pending(now + delay, PowerState.OFF)
        self.settle()

    def _network_once(self) -> None:
        if not self._goes_wrong(FaultKind.DROP_BOOT_ONCE, "network_once"):
            self.override = BootSource.NETWORK

    def _reset_entries(self) -> None:
        self.override, self.order = None, (BootSource.DISK, BootSource.NETWORK)

    def _remove_user(self, name: str) -> None:
        if self.users.pop(name, None) is None:
            raise NotOffered(f"the BMC of {self.name} has no user '{name}'")

    def _set_password(self, name: str, password: str) -> None:
        self.users[name] = password

    def _boot_order(self) -> dict[str, str | Sequence[str] | None]:
        return {"override": self.override, "entries": list(self.order)}
