"""How long the parts of an attempt took, and a span for each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.tracing import span


class Phases:
    """The phases of one attempt.

    Args:
        clock: seconds that only grow.

    Attributes:
        seconds: by phase, of those that were entered; a phase that was entered twice has the sum.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Measure a phase for the length of a ``with`` block, however it ends."""
        began = self._clock()
        try:
            with span(f"phase.{name}"):
                yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + self._clock() - began
