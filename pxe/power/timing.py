"""How long a BMC is waited for, and how."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pxe.power.errors import BmcBusy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, and the clock they are measured by.

    Attributes:
        check: for one answer while :meth:`Driver.validate` looks.
        call: for one answer otherwise.
        busy: how long in all a BMC that has no time is asked again.
        follow: until the machine is on or off after a forced order.
        graceful: until its operating system has shut down.
        rescue: until a hosting provider's rescue system answers after a reset.
        poll: between two looks at it.
        clock: seconds that only grow.
        pause: waits so many seconds.
    """

    check: float = 3.0
    call: float = 15.0
    busy: float = 60.0
    follow: float = 60.0
    graceful: float = 180.0
    rescue: float = 600.0
    poll: float = 1.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def patient(self, call: Callable[[], T]) -> T:
        """Make a call, again while the BMC has no time, with pauses that double.

        Raises:
            BmcBusy: it had none for :attr:`busy` seconds.
        """
        deadline, wait = self.clock() + self.busy, self.poll / 2
        while True:
            try:
                return call()
            except BmcBusy:
                if self.clock() + wait > deadline:
                    raise
            self.pause(wait)
            wait = min(wait * 2, 10.0)

    def becomes(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Look again and again; say whether it became so in time. Looks at least once, and once at the end."""
        deadline = self.clock() + seconds
        while not is_so():
            left = deadline - self.clock()
            if left <= 0:
                return False
            self.pause(min(self.poll, left))
        return True
