"""How many requests a process may send to Robot."""

from collections import deque
from collections.abc import Callable

from components.robot.errors import OutOfRequests

REQUESTS, SECONDS = 180, 3600.0
"""Robot allows a login 200 in an hour; the rest is for people and for a process that runs beside this one."""


class RequestBudget:
    """So many requests in any so many seconds.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float], requests: int = REQUESTS, seconds: float = SECONDS) -> None:
        self._clock, self._requests, self._seconds = clock, requests, seconds
        self._sent: deque[float] = deque()
        self._closed_until = float("-inf")

    def take(self) -> None:
        """Count a request that is about to be sent.

        Raises:
            OutOfRequests: if there is none left; says for how long.
        """
        now = self._clock()
        while self._sent and self._sent[0] <= now - self._seconds:
            self._sent.popleft()
        wait = self._closed_until - now
        if len(self._sent) >= self._requests:
            wait = max(wait, self._sent[0] + self._seconds - now)
        if wait > 0:
            raise OutOfRequests(f"Robot takes no more requests of this login for {wait / 60:.0f} min; run again then")
        self._sent.append(now)

    def close(self, seconds: float) -> None:
        """Robot itself says that it is enough: send nothing for so long."""
        self._closed_until = self._clock() + seconds
