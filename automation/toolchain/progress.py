"""How long work is told about: the protocol, and plain lines for logs."""

import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO


class Progress(Protocol):
    """Told what happens; called from one thread."""

    def step(self, title: str) -> None:
        """A new piece of work begins."""

    def detail(self, text: str) -> None:
        """Something moved within it."""

    def close(self) -> None:
        """Nothing more will come."""


class LineProgress:
    """One line a step, and one every so often while it runs: for logs and continuous integration.

    Args:
        stream: where to.
        interval: seconds between two lines of the same step.
    """

    def __init__(
        self, stream: TextIO | None = None, *, interval: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._interval = interval
        self._clock = clock
        self._title = ""
        self._count = 0
        self._started = self._last = clock()

    def step(self, title: str) -> None:
        """Write the title."""
        self._title, self._count = title, 0
        self._started = self._last = self._clock()
        print(title, file=self._stream, flush=True)

    def detail(self, text: str) -> None:
        """Write a sign of life if the last is old enough."""
        self._count += 1
        now = self._clock()
        if now - self._last >= self._interval:
            self._last = now
            print(
                f"{self._title}: {now - self._started:.0f} s, {self._count} done, now {text}",
                file=self._stream,
                flush=True,
            )

    def close(self) -> None:
        """Nothing is held open."""
