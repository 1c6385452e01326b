"""Opens machines' BMCs by the power drivers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from api.machines.bmc import BmcAccess
from automation.metal.power import PowerFailed, PowerVerb
from pxe.errors import BmcFailed
from pxe.obedience import MachinePower
from pxe.power.connection import driver_for
from pxe.power.driver import Driver
from pxe.power.errors import PowerError
from pxe.power.settings import BmcSettings


@dataclass(frozen=True, slots=True)
class BmcDrivers:
    """Implements ``PowerDrivers``.

    Attributes:
        login: opens a BMC's sealed password (``BmcPasswords.in_force``).
        connect: finds the driver of a machine's BMC.
    """

    login: Callable[[BmcAccess], BmcSettings]
    connect: Callable[[BmcSettings], Driver] = driver_for

    def open(self, access: BmcAccess) -> "OpenBmc":
        """Return what a machine is switched with.

        Raises:
            PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
        """
        settings = self.login(access)
        return OpenBmc(self.connect(settings), settings.password)


class OpenBmc:
    """Implements ``automation.metal.power.MachinePower`` on a power driver."""

    def __init__(self, driver: Driver, password: SecretStr) -> None:
        self._driver, self._password = driver, password
        self._power = MachinePower(driver, graceful=False)

    def boot_from_network(self) -> None:
        """Look whether the BMC is there, then start the machine over the network, this once.

        Through a rescue system that takes minutes.
        """
        with _told():
            self._driver.validate()
            self._power.boot_network()

    def do(self, verb: PowerVerb) -> None:
        """Switch it by force."""
        with _told():
            match verb:
                case PowerVerb.ON:
                    self._power.on()
                case PowerVerb.OFF:
                    self._power.off(at_once=True)
                case PowerVerb.CYCLE:
                    self._power.restart()

    def leave_clean(self) -> None:
        """Switch it off, and leave it our user with our password, no other, and its own boot order.

        The password stays the one that was deposited: until the machine is somebody's, a person may need it.
        """
        with _told():
            self._power.rest()
            self._power.clean(self._password)


@contextmanager
def _told() -> Iterator[None]:
    """Have what goes wrong at a BMC told as the runner knows it."""
    try:
        yield
    except BmcFailed as error:
        raise PowerFailed(error.code, error.sentence, is_retryable=error.is_retryable) from None
    except PowerError as error:
        raise PowerFailed(BmcFailed.code, str(error), is_retryable=error.is_retryable) from None
