"""Notices that somebody wants a running operation to end."""

from collections.abc import Callable

_EVERY = 4


class CancelWatch:
    """Asks the database at each fourth question only: it is asked twice a second for as long as an engine works."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        """``ask`` reads the operation's row; it may block for a moment."""
        self._ask = ask
        self._questions = 0
        self.is_requested = False

    def check(self) -> bool:
        """Return whether the end was asked for."""
        if not self.is_requested and self._questions % _EVERY == 0:
            self.is_requested = self._ask()
        self._questions += 1
        return self.is_requested
