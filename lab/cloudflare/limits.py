"""Cloudflare's rate limit: so many requests in a fixed window, for one credential."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class RateLimit:
    """At most ``requests`` in each window of ``seconds``. The API allows 1200 in 5 minutes; None: no limit.

    ``clock`` gives seconds that only grow.
    """

    clock: Callable[[], float]
    requests: int | None = None
    seconds: float = 300.0
    _used: int = field(default=0, init=False)
    _window: int = field(default=-1, init=False)

    def retry_after(self) -> int | None:
        """Count a request: None if it may pass, else the seconds until the next window."""
        if self.requests is None:
            return None
        now = self.clock()
        window = int(now // self.seconds)
        if window != self._window:
            self._window, self._used = window, 0
        self._used += 1
        if self._used <= self.requests:
            return None
        return max(1, math.ceil((window + 1) * self.seconds - now))
