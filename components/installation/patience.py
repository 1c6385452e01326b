"""Waiting with a deadline, and telling somebody what is waited for."""

import sys
import time
from collections.abc import Callable, Iterator


def to_the_engine(line: str) -> None:
    """Print a line: the engine shows what its plugins print as messages of the update."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Patience:
    """Pauses between looks at a machine.

    Args:
        name: of the machine, before each line that is told.
        poll_seconds: the first pause; later ones grow to five times that.
        clock: seconds that only grow.
        pause: waits so many seconds.
        say: takes a line for people.
    """

    def __init__(
        self,
        name: str,
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = to_the_engine,
    ) -> None:
        self._name, self._poll, self._clock, self._pause, self._say = name, poll_seconds, clock, pause, say

    def tell(self, line: str) -> None:
        """Tell where things are."""
        self._say(f"{self._name}: {line}")

    def within(self, seconds: float) -> Iterator[None]:
        """Yield at once, and after each pause until the time is up."""
        deadline = self._clock() + seconds
        pause = self._poll
        yield
        while self._clock() < deadline:
            self._pause(pause)
            pause = min(pause * 1.3, self._poll * 5)
            yield
