"""What a controller (Redfish, IPMI) needs of the machine behind it."""

from typing import Protocol

from lab.metal.qemu import BootDevice


class Switch(Protocol):
    """A power switch, and what is booted next. None of it blocks for longer than the switch takes."""

    @property
    def is_on(self) -> bool:
        """Whether the machine runs."""
        ...

    @property
    def boot_device(self) -> BootDevice:
        """What the next start tries first."""
        ...

    def power_on(self) -> None:
        """Switch on; nothing happens if it is."""
        ...

    def power_off(self) -> None:
        """Cut the power."""
        ...

    def reset(self) -> None:
        """Off and on."""
        ...

    def set_boot_device(self, device: BootDevice, *, once: bool = False) -> None:
        """Choose what is tried first, at the next start only or from now on."""
        ...
