"""A driver: the parts that one kind of BMC has."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pxe.power.interfaces import (
    AccountsInterface,
    BootInterface,
    DeployerInterface,
    IdentityInterface,
    PowerInterface,
    RescueInterface,
)


class Capability(StrEnum):
    """What can be asked of a driver at all. What is not named raises :class:`NotOffered`."""

    POWER_STATE = "power-state"
    """Whether the machine is on is told."""
    POWER_OFF = "power-off"
    """It can be switched off, and on again; without this, a machine that switches itself off stays so."""
    GRACEFUL_OFF = "graceful-off"
    """Its operating system can be asked to shut down."""
    NETBOOT_ONCE = "netboot-once"
    """Its firmware can be made to boot from a network of ours. Without this, the deployer is started by other means."""
    ACCOUNTS = "accounts"
    """The users of its BMC are ours to manage. Without this, they are the hosting provider's."""
    RESCUE = "rescue"
    """The hosting provider has a rescue system that it can be made to boot."""
    SERIAL = "serial"
    """The BMC knows the machine's serial number, so a machine that was swapped is noticed."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What a machine's BMC can do.

    Holds no connection open: each call opens a session and closes it. Thread-safe; calls for one BMC wait for each
    other.

    Attributes:
        name: as in ``SLIPWAY_BMC_DRIVER``.
        deployer: starts what inspects, installs, wipes and rescues, in the way that this machine has.
        capabilities: answers without a call.
        check: see :meth:`validate`.
    """

    name: str
    power: PowerInterface
    boot: BootInterface
    deployer: DeployerInterface
    capabilities: frozenset[Capability]
    check: Callable[[], None]
    accounts: AccountsInterface | None = None
    rescue: RescueInterface | None = None
    identity: IdentityInterface | None = None

    def validate(self) -> None:
        """See whether the BMC is there, takes the login, and has the machine; changes nothing.

        Blocks for a few seconds at most (``Timing.check`` for each of at most three answers), and is never repeated by
        itself.

        Raises:
            PowerError: ``field`` says what to look at: address, user, system or certificate.
        """
        self.check()
