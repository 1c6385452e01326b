"""What a provider has in its hands for one call, closed at its end."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from pydantic import SecretStr

from pxe.connection import connect, metal_settings
from pxe.deadlines import Deadlines
from pxe.errors import BadMetalSettings
from pxe.holding import Holding
from pxe.obedience import MachinePower
from pxe.power.connection import driver_for
from pxe.power.driver import Driver
from pxe.power.errors import BadBmcSettings, BmcRefused, PowerError
from pxe.power.settings import PREFIX, BmcSettings, bmc_settings
from pxe.reaching import answers_ssh

NEXT_PASSWORD = f"{PREFIX}NEXT_PASSWORD"
"""What our BMC user's password is to be after a wipe; whoever sets it has sealed it before."""


@dataclass(frozen=True, slots=True)
class Hands:
    """A context manager, which closes the connection to the API.

    Attributes:
        next_password: what our user at the BMC has after a wipe; None leaves the BMC's users alone.
    """

    holding: Holding
    next_password: SecretStr | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.holding.api.__exit__()


def hands_from_environment() -> Hands:
    """Take what the environment says. Sends nothing, unless there are two passwords: see :func:`driver_in_force`.

    Raises:
        BadMetalSettings: names each variable that is missing or wrong, the BMC's included.
    """
    settings = metal_settings()
    try:
        bmc = bmc_settings()
    except BadBmcSettings as error:
        raise BadMetalSettings(str(error)) from None
    following = os.environ.get(NEXT_PASSWORD)
    driver = driver_in_force(bmc, SecretStr(following)) if following else driver_for(bmc)
    holding = Holding(
        api=connect(settings),
        power=MachinePower(driver, graceful=settings.graceful),
        deadlines=Deadlines.parse(settings.deadlines),
        answers=answers_ssh if settings.verify_ssh else None,
    )
    return Hands(holding, SecretStr(following) if following else bmc.password)


def driver_in_force(
    bmc: BmcSettings, following: SecretStr, connect: Callable[[BmcSettings], Driver] = driver_for
) -> Driver:
    """Return the driver of a BMC by the password that it takes: an engine before this one may have set the next.

    Blocks for a few seconds. One try each, for BMCs lock accounts; one that does not answer is left to whoever asks it
    for something, with more patience.

    Args:
        bmc: with the password that was in force before the wipe.
        following: the one that is in force after it.
        connect: finds a driver.
    """
    driver = connect(bmc)
    try:
        driver.validate()
    except BmcRefused:
        return connect(bmc.model_copy(update={"password": following}))
    except PowerError:
        return driver
    return driver
