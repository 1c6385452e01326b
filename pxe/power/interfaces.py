"""What a machine's BMC can be asked, in parts; a driver is composed of those that its BMC has.

Every method blocks: for one answer (``Timing.call`` seconds) or, where it says that it follows, until the machine has
done it (``Timing.follow``). Every method raises :class:`PowerError`: :class:`BmcUnreachable` for no answer,
:class:`BmcBusy` after ``Timing.busy`` seconds of "no time", :class:`BmcRefused` for the login.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr


class PowerState(StrEnum):
    """Whether a machine is on."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"
    """The BMC does not tell, or it is changing."""


class BootSource(StrEnum):
    """From what a machine boots."""

    NETWORK = "network"
    DISK = "disk"
    RESCUE = "rescue"
    """A rescue system of the hosting provider's own."""
    OTHER = "other"
    """Virtual media, setup, a removable drive: nothing that we ever ask for."""


@dataclass(frozen=True, slots=True)
class BootOrder:
    """What a machine will boot.

    Attributes:
        override: what the BMC makes it boot instead of its own order; None: nothing.
        is_once: the override is for the next boot only. Some BMCs say "for ever" whatever they were told.
        entries: the machine's own order, in its own words; empty if the BMC does not tell.
    """

    override: BootSource | None = None
    is_once: bool = False
    entries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BmcAccount:
    """A user of a BMC.

    Attributes:
        key: by which the BMC knows it.
        is_ours: it is the one that this driver logs in with.
    """

    key: str
    name: str
    is_enabled: bool
    is_ours: bool


@dataclass(frozen=True, slots=True)
class RescueSystem:
    """A rescue system that a machine boots at its next start.

    Attributes:
        address: where it is reached by SSH.
        host_keys: MD5 fingerprints of its host keys; empty if they are not told beforehand.
    """

    address: str
    host_keys: frozenset[str]


class PowerInterface(Protocol):
    """A machine's power."""

    def state(self) -> PowerState:
        """Look."""

    def on(self) -> None:
        """Switch it on and follow; one that is on is left alone.

        Raises:
            PowerDisobeyed: it is not on after ``Timing.follow`` seconds.
        """

    def off(self, *, graceful: bool = False) -> None:
        """Switch it off and follow; one that is off is left alone.

        Args:
            graceful: ask its operating system; takes up to ``Timing.graceful`` seconds.

        Raises:
            PowerDisobeyed: it is still on. After a graceful order, the caller may force it.
            NotOffered: it cannot be switched off.
        """

    def cycle(self) -> None:
        """Switch it off by force, then on, each followed: the one way that proves a restart.

        Where the machine cannot be switched off, this is :meth:`reset`.
        """

    def reset(self) -> None:
        """Press reset, or switch it on if it is off; does not wait for anything to happen.

        A machine whose BMC lost the answer is not reset twice: this raises :class:`BmcUnreachable` instead.
        """


class BootInterface(Protocol):
    """What a machine boots."""

    def network_once(self) -> None:
        """Have its next boot, and only that, be from the network. Does not restart it.

        What the BMC made of it is seen by :meth:`order`: some take the order and ignore it.

        Raises:
            NotOffered: there is no network of ours to boot from.
        """

    def order(self) -> BootOrder:
        """Look."""

    def reset_entries(self) -> None:
        """Take back whatever makes it boot anything but its own disks, and look whether that was obeyed.

        Raises:
            PowerDisobeyed: something else is still in place.
        """


def nothing() -> None:
    """Do nothing: for callers whose wait nobody wants to end."""


class DeployerInterface(Protocol):
    """How a machine gets into the deployer: by its own firmware, or through a rescue system."""

    def start(self, look: Callable[[], None] = nothing) -> None:
        """Start the machine anew, whatever it does, so that it asks the boot service what it is to be.

        Harmless to repeat: the machine is started once more. By firmware this comes back when the machine is on;
        through a rescue system, which takes minutes, when the deployer's kernel has been started.

        Args:
            look: is called again and again while the machine is waited for. What it raises ends the wait and comes out
                here; nothing is left behind that would boot anything but the machine's own disks.

        Raises:
            NotOffered: the machine has no way to reach the boot service.
            PowerDisobeyed: it did not come up in time.
        """

    def leave(self) -> None:
        """Take the machine off the provisioning network, before a customer works on it. Harmless to repeat.

        Does nothing where the way there is not ours to close: a switch's port is its operators'.
        """


class AccountsInterface(Protocol):
    """The users of a BMC: a customer with root on the machine can make some."""

    def list(self) -> tuple[BmcAccount, ...]:
        """Look."""

    def reset(self, password: SecretStr | None = None) -> SecretStr:
        """Remove every account but ours, and give ours a new password. Harmless to repeat.

        The answer is in no other place: the caller seals it. A caller that must survive a crash between the BMC's yes
        and its own commit seals a password first (:func:`new_password`) and passes it. This driver goes on with the
        new one, after one login that shows that it is in force. After :class:`BmcUnreachable` either may be.

        Raises:
            PowerDisobeyed: an account is still there.
        """


class RescueInterface(Protocol):
    """The hosting provider's own rescue system, for machines that cannot boot from a network of ours."""

    def activate(self, public_key: str) -> RescueSystem:
        """Have the next start, and only that, boot it with this one SSH key. Does not restart the machine.

        Repeating it with the same key is harmless; another key replaces it.
        """

    def deactivate(self, public_key: str) -> None:
        """Have the machine boot from its disk again, and forget the key. Harmless if nothing is active."""


class IdentityInterface(Protocol):
    """Which machine this is."""

    def serial(self) -> str:
        """Return the serial number by its BMC; empty if the BMC does not know it."""
