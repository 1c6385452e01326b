"""Keeps a lease alive while the engine runs."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from api.errors import LeaseLost

_LOG = structlog.get_logger(__name__)


class Heartbeat:
    """Renews a lease three times in its length, from a thread.

    The lease counts as lost once somebody else has it, or once it has run out by our own clock because the database
    did not answer: then another worker may have taken it, whether we can see that or not.
    """

    def __init__(
        self,
        renew: Callable[[], None],
        lease_seconds: float,
        asked_at: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over a lease.

        Args:
            renew: renews it; raises ``LeaseLost`` if it is somebody else's. May block.
            lease_seconds: its length.
            asked_at: by ``clock``, from before the lease was asked for: it cannot run out any earlier.
            clock: a monotonic clock, in seconds.
        """
        self._renew = renew
        self._length = lease_seconds
        self._clock = clock
        self._held_until = asked_at + lease_seconds
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-heartbeat", daemon=True)

    @property
    def is_ours(self) -> bool:
        """Whether the lease is certainly still ours."""
        return not self._lost.is_set() and self._clock() < self._held_until

    def lose(self) -> None:
        """Take note that somebody else has the lease."""
        self._lost.set()

    def beat(self) -> None:
        """Renew the lease once; a database that does not answer is asked again by the next beat."""
        asked_at = self._clock()
        try:
            self._renew()
        except LeaseLost:
            self.lose()
        except Exception as error:  # noqa: BLE001 - whatever the database's trouble, the thread must live on
            _LOG.warning("lease_renewal_failed", error=type(error).__name__)
        else:
            self._held_until = asked_at + self._length

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while self.is_ours and not self._stop.wait(self._length / 3):
            self.beat()
