"""Opens machines' BMCs by the power drivers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError

from api.machines.bmc import BmcAccess
from api.vault import Vault
from automation.metal.power import PowerFailed, PowerVerb
from pxe.errors import BmcFailed
from pxe.obedience import MachinePower
from pxe.power.connection import driver_for
from pxe.power.driver import Driver
from pxe.power.errors import PowerError
from pxe.power.settings import BmcKind, BmcSettings


@dataclass(frozen=True, slots=True)
class BmcDrivers:
    """Implements ``PowerDrivers``; opens each sealed password in the moment that it is used."""

    vault: Vault
    connect: Callable[[BmcSettings], Driver] = driver_for

    def open(self, access: BmcAccess) -> "OpenBmc":
        """Return what a machine is switched with. Sends nothing.

        Raises:
            PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
        """
        settings = settings_of(access, self.vault)
        return OpenBmc(self.connect(settings), settings.password)


def settings_of(access: BmcAccess, vault: Vault) -> BmcSettings:
    """Return how a machine's BMC is reached, its password opened. Sends nothing.

    Raises:
        PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
    """
    if access.password_encrypted is None:
        detail = f"machine '{access.machine}': the password of its BMC was not deposited"
        raise PowerFailed("no_credential", detail, is_retryable=False)
    try:
        return BmcSettings(
            driver=BmcKind(access.driver.value),
            address=access.address,
            system=access.system,
            user=access.user,
            password=SecretStr(vault.open(access.password_encrypted)),
            verify_tls=access.verify_tls,
        )
    except ValidationError as error:
        wrong = "; ".join(str(item["msg"]) for item in error.errors(include_input=False))
        raise PowerFailed("bad_bmc_settings", f"machine '{access.machine}': {wrong}", is_retryable=False) from None


class OpenBmc:
    """Implements ``automation.metal.power.MachinePower`` on a power driver."""

    def __init__(self, driver: Driver, password: SecretStr) -> None:
        self._driver, self._password = driver, password
        self._power = MachinePower(driver, graceful=False)

    def boot_from_network(self) -> None:
        """Look whether the BMC is there, then start the machine from the network, this once."""
        with _told():
            self._driver.validate()
            self._power.boot_network()

    def do(self, verb: PowerVerb) -> None:
        """Switch it by force."""
        with _told():
            if verb is not PowerVerb.ON:
                self._power.off(at_once=True)
            if verb is not PowerVerb.OFF:
                self._power.on()

    def leave_clean(self) -> None:
        """Switch it off, and leave it our user with our password, no other, and its own boot order."""
        with _told():
            self._power.off(at_once=True)
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
