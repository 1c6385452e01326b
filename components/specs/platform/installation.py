"""How a blank dedicated server becomes a Proxmox VE node: its profile, as pure data."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen, ZoneName
from components.specs.platform.base import Slug
from components.specs.vswitch import ServerNumber

LEAST_DRIVES = {0: 2, 1: 2, 5: 3, 6: 4, 10: 4}
"""Drives that each level of software RAID needs, as installimage has it."""
DriveName = Annotated[str, Field(pattern=r"^(nvme\d{1,2}n\d|sd[a-z])$")]
"""A drive's name in the rescue system, without ``/dev/``."""


class StorageLayout(StrEnum):
    """What the room beside the system is made into; the storage itself is the nodes stack's."""

    LVM_THIN = "lvm-thin"
    """A thin pool ``data`` in the volume group ``pve``, as Proxmox VE's own installer leaves it."""
    ZFS = "zfs"
    """A pool ``data`` over a partition of each drive."""


class InstallationProfile(Frozen):
    """What a node is installed with. A change is reported and not applied: see :class:`InstallationSpec`.

    Attributes:
        drives: all that the system and the storage are put on. They must be blank.
        raid_level: of the software RAID; None: one drive without.
        root_gib: the system's own file system.
        uefi: the machine boots by UEFI and needs a partition for it.
        image: in the rescue system's folder of images.
    """

    drives: Annotated[tuple[DriveName, ...], Field(min_length=1, max_length=15)] = ("nvme0n1", "nvme1n1")
    raid_level: Literal[0, 1, 5, 6, 10] | None = 1
    layout: StorageLayout = StorageLayout.LVM_THIN
    root_gib: Annotated[int, Field(ge=16, le=512)] = 64
    swap_gib: Annotated[int, Field(ge=1, le=128)] = 8
    uefi: bool = False
    image: Annotated[str, Field(pattern=r"^Debian-[A-Za-z0-9-]+\.tar\.gz$")] = "Debian-1300-trixie-amd64-base.tar.gz"

    @model_validator(mode="after")
    def _drives_suit_the_level(self) -> Self:
        twice = sorted({drive for drive in self.drives if self.drives.count(drive) > 1})
        if twice:
            raise ValueError(f"drives: {', '.join(twice)} is given twice; name each drive once")
        if self.raid_level is None and len(self.drives) > 1:
            raise ValueError(f"raid_level: {len(self.drives)} drives need a level; give one, or a single drive")
        least = 1 if self.raid_level is None else LEAST_DRIVES[self.raid_level]
        if len(self.drives) < least:
            raise ValueError(f"drives: RAID level {self.raid_level} needs at least {least} drives")
        if self.raid_level == 10 and len(self.drives) % 2:  # noqa: PLR2004 - pairs of mirrors
            raise ValueError("drives: RAID level 10 needs an even number of drives")
        return self


class InstallationSpec(Frozen):
    """A dedicated server, and what it is installed with if nothing of ours is on it yet.

    Attributes:
        domain: with the node's name it is the host name.
        reinstall: raised by one to have a node installed anew. It must carry no guest; everything on it is lost.
        boot_seconds: how long a machine may take to boot.
        install_seconds: how long installimage and the packages may take.
        accepts_unlisted_host_key: the rescue system's host key is taken as it is where Robot names none.
    """

    number: ServerNumber
    name: Slug
    domain: ZoneName
    profile: InstallationProfile = InstallationProfile()
    reinstall: Annotated[int, Field(ge=0)] = 0
    boot_seconds: Annotated[float, Field(gt=0, le=3600)] = 600
    install_seconds: Annotated[float, Field(gt=0, le=7200)] = 2700
    accepts_unlisted_host_key: bool = False

    @property
    def hostname(self) -> str:
        """The full name."""
        return f"{self.name}.{self.domain}"
