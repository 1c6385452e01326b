"""What a machine says of itself, from its own initrd: hardware as data, bounded because a stranger may send it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from components.specs.machine import MacAddress
from components.specs.network import Frozen

MAX_NICS = 64
MAX_DISKS = 128
_EXBIBYTE = 1 << 60

HardwareText = Annotated[str, Field(max_length=128, pattern=r"^[\x20-\x7e]*$")]
"""A text that firmware or a disk made up: printable ASCII, perhaps empty. Never fit for a shell or a page as it is."""

DiskName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,31}$")]
"""A whole disk as Linux names it below ``/dev``: ``sda``, ``vdb``, ``nvme0n1``."""

NicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$")]
"""A network interface as Linux names it."""


class Firmware(StrEnum):
    """How a machine boots."""

    BIOS = "bios"
    UEFI = "uefi"


class NicFacts(Frozen):
    """A network card."""

    name: NicName
    mac: MacAddress


class DiskFacts(Frozen):
    """A disk.

    Attributes:
        serial: the disk's own; empty if it has none that Linux can read (virtual disks).
        rotational: whether it has spinning platters.
    """

    name: DiskName
    size_bytes: Annotated[int, Field(ge=0, le=_EXBIBYTE)]
    serial: HardwareText = ""
    model: HardwareText = ""
    rotational: bool = False


class Facts(Frozen):
    """What an initrd found on the machine that it runs on.

    Attributes:
        serial: SMBIOS' (DMI type 1) as it stands there, without spaces around it. Not checked to be a ``Serial``, so
            that a machine with none, or with a silly one, is told to be the wrong machine and not merely malformed.
        memory_mib: what Linux sees, which is less than what is plugged in.
    """

    serial: HardwareText
    product: HardwareText = ""
    cores: Annotated[int, Field(ge=1, le=8192)]
    memory_mib: Annotated[int, Field(ge=1, le=1 << 30)]
    nics: Annotated[tuple[NicFacts, ...], Field(max_length=MAX_NICS)]
    disks: Annotated[tuple[DiskFacts, ...], Field(max_length=MAX_DISKS)]
    firmware: Firmware

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for what, names in (("nics", [nic.name for nic in self.nics]), ("disks", [disk.name for disk in self.disks])):
            if len(set(names)) != len(names):
                raise ValueError(f"'{what}' names something twice")
        return self

    @property
    def macs(self) -> frozenset[str]:
        """The addresses of all network cards."""
        return frozenset(nic.mac for nic in self.nics)
