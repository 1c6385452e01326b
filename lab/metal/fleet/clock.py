"""A machine's own clock: it stands still while something runs on the machine, and leaps while nothing does."""

import threading

_REAL_SECONDS = 0.2
"""So long is a machine that works waited for; then its clock goes on a little."""
_STEP = 1.0


class FleetClock:
    """Seconds that pass when somebody waits. Thread-safe.

    What runs on a machine speaks to a real service, which takes real time, and the more of it the busier this computer
    is. Time that passed meanwhile would make phases overdue that are not.
    """

    def __init__(self) -> None:
        self._now, self._at_work = 0.0, 0
        self._changed = threading.Condition()

    def __call__(self) -> float:
        """Now."""
        with self._changed:
            return self._now

    def begin(self) -> None:
        """Something runs on the machine."""
        with self._changed:
            self._at_work += 1

    def end(self) -> None:
        """It does not any more, or only waits."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Let time pass, once what runs on the machine is done; if that takes long, let a second pass before it is."""
        with self._changed:
            is_idle = self._changed.wait_for(lambda: self._at_work == 0, _REAL_SECONDS if seconds > 0 else 0)
            self._now += seconds if is_idle else min(seconds, _STEP)

    def await_idle(self, seconds: float) -> bool:
        """Block until nothing runs on the machine; says whether that came within so many real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._at_work == 0, seconds)
