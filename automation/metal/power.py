"""What a worker needs of a machine's BMC, whatever that speaks."""

from typing import Protocol

from api.machines.bmc import BmcAccess
from api.machines.models import PowerVerb

__all__ = ["MachinePower", "PowerDrivers", "PowerFailed", "PowerVerb"]


class PowerFailed(Exception):  # noqa: N818 - what has happened
    """The BMC did not do it; the message is a sentence that says what to look at, and holds no secret.

    Attributes:
        code: stable, for programs.
        is_retryable: the same may succeed later although nobody has changed anything.
    """

    def __init__(self, code: str, detail: str, *, is_retryable: bool) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.is_retryable = is_retryable


class MachinePower(Protocol):
    """One machine's power and boot order. Every method blocks until it is done, and raises ``PowerFailed``."""

    def boot_from_network(self) -> None:
        """Look whether the BMC is there at all; have the next boot, and only that, be from the network; restart it."""

    def do(self, verb: PowerVerb) -> None:
        """Switch it on or off by force, or off and on."""

    def leave_clean(self) -> None:
        """Switch it off, and take back what its last user can have left at its BMC: boot entries, and users."""


class PowerDrivers(Protocol):
    """Opens BMCs."""

    def open(self, access: BmcAccess) -> MachinePower:
        """Return what a machine is switched with. Sends nothing, unless it is not known which password is in force.

        Raises:
            PowerFailed: if there is no password, or what is recorded of the BMC cannot be meant.
        """
