"""What can go wrong between us and a BMC."""

from typing import ClassVar


class PowerError(Exception):
    """Base of all; the message is a sentence that says what to do, and holds no secret.

    Attributes:
        is_retryable: whether the same call may succeed later although nobody has changed anything.
        field: what to look at if the fault is in what we were told: ``address``, ``user``, ``system``, ``certificate``,
            ``driver``; empty if it is in none of them.
    """

    is_retryable: ClassVar[bool] = False
    field: str = ""


class BadBmcSettings(PowerError):  # noqa: N818 - what they are
    """What the environment says of the BMC is missing or cannot be meant; names the variable. Nothing was sent."""


class BmcUnreachable(PowerError):  # noqa: N818 - what it is
    """No answer, or one of a broken BMC: a change may or may not have been made, so look before trying again."""

    is_retryable = True
    field = "address"


class BmcBusy(PowerError):  # noqa: N818 - what it is
    """The BMC said for as long as we were prepared to wait that it has no time; nothing was changed."""

    is_retryable = True


class BmcRefused(PowerError):  # noqa: N818 - what it did
    """The BMC does not accept the login. One try was made; this driver sends nothing more."""

    field = "user"


class BmcUntrusted(PowerError):  # noqa: N818 - what it is
    """The BMC's certificate is not one that we trust. The login was not sent."""

    field = "certificate"


class NoSuchSystem(PowerError):  # noqa: N818 - what it is
    """The BMC answers and has no such system."""

    field = "system"


class PowerDisobeyed(PowerError):  # noqa: N818 - what the machine did
    """The BMC took the order, and the machine is not in the state that was asked for after all the time it had."""


class NotOffered(PowerError):  # noqa: N818 - what it is
    """This driver, or this BMC, cannot do that; :attr:`Driver.capabilities` tells beforehand for a driver."""
