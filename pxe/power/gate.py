"""Who may speak to a BMC, and for how long a refusal is remembered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pxe.power.errors import BmcBusy, BmcRefused


class Gate:
    """One talk at a time with a BMC, and none after it has refused the login.

    BMCs have few sessions and lock accounts after some failed logins; the engine runs several resources at once. Were
    their first logins sent side by side, a wrong password would lock the account before the first refusal is read.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._refusal = ""

    @contextmanager
    def talk(self, wait: float | None = None) -> Iterator[None]:
        """Have the BMC to oneself for the length of the block. Blocks while somebody else has it.

        Args:
            wait: at most so many seconds.

        Raises:
            BmcRefused: earlier; nothing is sent.
            BmcBusy: somebody of this process went on speaking to it.
        """
        if not self._lock.acquire(timeout=-1 if wait is None else wait):
            raise BmcBusy("another operation of this process is speaking to this BMC; try again later")
        try:
            self._pass()
            yield
        except BmcRefused as error:
            self._refusal = str(error)
            raise
        finally:
            self._lock.release()

    def _pass(self) -> None:
        if self._refusal:
            raise BmcRefused(self._refusal)
