"""The invariants, looked at all the while."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from uuid import UUID

import structlog

from api.state.store import StateStore
from automation.invariants.checker import InvariantChecker
from automation.state.check import check
from lab.chaos.rig import Rig
from lab.outside import LabOutside

_LOG = structlog.get_logger(__name__)


class Watch:
    """A thread that checks every few seconds.

    Attributes:
        checks: looks that were taken.
        blind: looks that could not be taken, because a store or a node was down just then.
        violations: what was broken, each once.
    """

    def __init__(self, rig: Rig, seconds: float) -> None:
        """Look every ``seconds``."""
        self._rig = rig
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._began = time.monotonic()
        self._seen: set[str] = set()
        self.checks = self.blind = 0
        self.violations: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; blocks for as long as a look takes."""
        self._stop.set()
        self._thread.join()

    def look(self) -> list[str]:
        """Take one look; returns what is broken now."""
        outside = LabOutside(self._rig.truth, self._money, self._rig.engines_by_stack)
        checker = InvariantChecker(self._rig.database, outside, self._state)
        found = [str(violation) for violation in checker.check()]
        moment = f"{time.monotonic() - self._began:.0f} s"
        self.violations += [
            f"{violation} (first seen at {moment})" for violation in found if violation not in self._seen
        ]
        self._seen.update(found)
        self.checks += 1
        return found

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the fault of the moment may have taken away what is looked at
                _LOG.info("look_failed", error=type(error).__name__)
                self.blind += 1

    def _state(self) -> Iterable[tuple[str, str]]:
        with closing(StateStore(self._rig.system.settings["SLIPWAY_STATE_DATABASE_URL"])) as states:
            return [(found.stack, found.what) for found in check(self._rig.database, states)]

    def _money(self) -> dict[UUID, int]:
        """Return what the payment provider holds of each order."""
        held: dict[UUID, int] = {}
        for charge in self._rig.truth.stripe.v1.charges.list({"limit": 100}).auto_paging_iter():
            document = charge.to_dict()
            order_id = document.get("metadata", {}).get("order_id")
            if order_id and document["paid"]:
                kept = document["amount"] - document["amount_refunded"]
                held[UUID(order_id)] = held.get(UUID(order_id), 0) + kept
        return held


def until(condition: Callable[[], bool], seconds: float, pause: Callable[[float], object]) -> bool:
    """Look once a second until something is so; False if it never was within ``seconds``."""
    for _ in range(max(1, round(seconds))):
        if condition():
            return True
        pause(1.0)
    return condition()
