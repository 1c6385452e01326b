"""What keeps clients away: the hourly number of requests of a login, and the lock-out of an address."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

FAILED_LOGINS = 3
LOCKED_OUT = 600.0
"""Seconds for which an address is locked out after so many failed logins."""


@dataclass
class HourlyLimit:
    """At most ``requests`` in any ``seconds`` for each login. ``clock`` gives seconds; None switches the limit off."""

    clock: Callable[[], float]
    requests: int | None = 200
    seconds: float = 3600.0
    _used: dict[str, deque[float]] = field(default_factory=dict, init=False)

    def passes(self, login: str) -> bool:
        """Count a request, and say whether it may pass."""
        used = self._used.setdefault(login, deque())
        now = self.clock()
        while used and used[0] <= now - self.seconds:
            used.popleft()
        if self.requests is not None and len(used) >= self.requests:
            return False
        used.append(now)
        return True

    def forget(self) -> None:
        """Begin anew for every login."""
        self._used.clear()


@dataclass
class LockOut:
    """Three failed logins in a row lock an address out for ten minutes, with whatever credentials it comes."""

    clock: Callable[[], float]
    _failed: dict[str, int] = field(default_factory=dict, init=False)
    _until: dict[str, float] = field(default_factory=dict, init=False)

    def holds(self, address: str) -> bool:
        """Whether the address is locked out."""
        return self._until.get(address, 0.0) > self.clock()

    def failed(self, address: str) -> None:
        """Count a failed login."""
        self._failed[address] = self._failed.get(address, 0) + 1
        if self._failed[address] >= FAILED_LOGINS:
            self._until[address] = self.clock() + LOCKED_OUT
            self._failed[address] = 0

    def succeeded(self, address: str) -> None:
        """A good login: earlier ones no longer count."""
        self._failed.pop(address, None)

    def forget(self) -> None:
        """Let every address in again."""
        self._failed.clear()
        self._until.clear()
