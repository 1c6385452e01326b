"""A machine's power and boot order for the length of one operation: bounded patience, and errors of ours."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from pydantic import SecretStr
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from pxe.errors import BmcCannot, BmcFailed
from pxe.power.driver import Capability, Driver
from pxe.power.errors import NotOffered, PowerDisobeyed, PowerError
from pxe.power.interfaces import BootSource, PowerState, nothing

_LOG = structlog.get_logger(__name__)
TRIES = 3
"""Of a call that got no answer or "no time". The driver has waited a minute for the latter itself."""

T = TypeVar("T")


class MachinePower:
    """What is done with the machine's BMC. Every method blocks, and raises :class:`BmcFailed`.

    Args:
        driver: of this machine.
        graceful: ask the operating system first where nothing is in a hurry.
        pause: waits so many seconds.
    """

    def __init__(self, driver: Driver, *, graceful: bool = True, pause: Callable[[float], None] = time.sleep) -> None:
        self._driver, self._graceful, self._pause = driver, graceful, pause

    def state(self) -> PowerState:
        """Look."""
        return self._obeyed(self._driver.power.state)

    @property
    def tells_state(self) -> bool:
        """Whether it can be seen for certain if it is on, and looking costs next to nothing."""
        return Capability.POWER_STATE in self._driver.capabilities

    def is_off(self) -> bool:
        """Whether it is certainly off: one look, without patience; a BMC that does not tell is a no, and not asked."""
        if not self.tells_state:
            return False
        try:
            return self._driver.power.state() is PowerState.OFF
        except PowerError:
            return False

    def serial(self) -> str:
        """The serial number by the BMC; empty if it does not know it."""
        identity = self._driver.identity
        return "" if identity is None else self._obeyed(identity.serial)

    def boots_from(self) -> str:
        """What it would boot instead of its own disks, else ``disk``."""
        return (self._obeyed(self._driver.boot.order).override or BootSource.DISK).value

    def on(self) -> None:
        """Switch it on."""
        self._obeyed(self._driver.power.on)

    def off(self, *, at_once: bool = False) -> None:
        """Switch it off: by its operating system's doing if there is time, else by force."""
        if self._graceful and not at_once and Capability.GRACEFUL_OFF in self._driver.capabilities:
            try:
                self._driver.power.off(graceful=True)
            except PowerError:
                pass  # whatever it was, force is next
            else:
                return
        self._obeyed(self._driver.power.off)

    def rest(self, *, at_once: bool = True, in_a_hurry: bool = False) -> bool:
        """Switch it off; one that cannot be goes on with what it runs.

        That is the deployer, which touches no disk once its deployment is over, or what is stopped by the next start.

        Args:
            at_once: by force.
            in_a_hurry: by force, and with one try: for whoever has no time left, and nothing to lose.

        Returns:
            Whether it took the command to be off.
        """
        try:
            if in_a_hurry:
                self._obeyed(self._driver.power.off, tries=1)
            else:
                self.off(at_once=at_once)
        except BmcCannot:
            return False
        return True

    def boot_network(self, look: Callable[[], None] = nothing) -> None:
        """Start it anew, this once over the network: by its firmware, or through a rescue system, which takes minutes.

        Args:
            look: is called while the machine is waited for, and before a BMC that was of no use is asked again; what
                it raises ends the wait.
        """
        self._obeyed(lambda: self._driver.deployer.start(look), look)

    def leave_network(self) -> None:
        """Take it off the provisioning network: from here on it is a customer's."""
        self._obeyed(self._driver.deployer.leave)

    def end_system(self) -> None:
        """Have what runs end by force: switched off, or started anew from its own disks where it cannot be."""
        try:
            self.off(at_once=True)
        except BmcCannot:
            self.from_disk()
            self._obeyed(self._driver.power.cycle)

    def restart(self) -> None:
        """Have it end what it runs, by force, and start its own boot order."""
        try:
            self.off(at_once=True)
        except BmcCannot:
            self._obeyed(self._driver.power.cycle)
        else:
            self.on()

    def from_disk(self) -> None:
        """Take back whatever makes it boot anything but its own disks."""
        if self.boots_from() != BootSource.DISK.value:
            self._obeyed(self._driver.boot.reset_entries)

    def clean(self, password: SecretStr | None) -> None:
        """Leave nothing in the BMC of whoever used the machine: boot entries, and users other than ours.

        Args:
            password: what ours is from now on; None leaves the users alone.
        """
        self._obeyed(self._driver.boot.reset_entries)
        if password is not None:
            self._obeyed(lambda: self._reset_accounts(password))

    def _reset_accounts(self, password: SecretStr) -> None:
        accounts = self._driver.accounts
        if accounts is None:
            return
        try:
            accounts.reset(password)
        except NotOffered as error:
            # Its users are not within our reach, so a customer cannot have changed them through us either; the network
            # has to keep customers from such a BMC (docs/bare-metal.md).
            _LOG.warning("bmc_users_not_reset", reason=str(error))

    def _obeyed(self, call: Callable[[], T], heed: Callable[[], None] = nothing, tries: int = TRIES) -> T:
        def pause(seconds: float) -> None:
            heed()
            self._pause(seconds)

        retrying = Retrying(
            stop=stop_after_attempt(tries),
            wait=wait_exponential(max=10),
            retry=retry_if_exception(lambda error: isinstance(error, PowerError) and error.is_retryable),
            sleep=pause,
            reraise=True,
        )
        try:
            return retrying(call)
        except PowerError as error:
            if isinstance(error, NotOffered):
                raise BmcCannot(str(error)) from None
            disobeyed = isinstance(error, PowerDisobeyed)  # a person is no quicker than another try
            raise BmcFailed(str(error), is_retryable=error.is_retryable or disobeyed) from None
