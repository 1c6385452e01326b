"""The API's rate limit: a budget for each token that fills up again a little every second."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class RateLimit:
    """At most ``requests`` saved up, refilled within ``seconds``. The API allows 3600 in an hour, one back a second.

    ``clock`` gives seconds of the calendar, because the answer's ``RateLimit-Reset`` is a UNIX timestamp.
    """

    clock: Callable[[], float]
    requests: int = 3600
    seconds: float = 3600.0
    _left: dict[str, tuple[float, float]] = field(default_factory=dict, init=False)

    def set(self, requests: int, seconds: float) -> None:
        """Have another limit from now on, with every budget full."""
        self.requests, self.seconds = requests, seconds
        self._left.clear()

    def spend(self, token: str) -> tuple[bool, dict[str, str]]:
        """Count a request of a token: whether it may pass, and the three headers of its answer."""
        now = self.clock()
        left, since = self._left.get(token, (float(self.requests), now))
        left = min(self.requests, left + (now - since) * self.requests / self.seconds)
        passes = left >= 1
        if passes:
            left -= 1
        self._left[token] = (left, now)
        full = now + (self.requests - left) * self.seconds / self.requests
        return passes, {
            "RateLimit-Limit": str(self.requests),
            "RateLimit-Remaining": str(int(left)),
            "RateLimit-Reset": str(int(full) + 1),
        }
