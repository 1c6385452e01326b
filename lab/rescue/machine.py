"""One dedicated server as hardware: what is on its disks, what runs, and the rescue system's memory. Plain data."""

from dataclasses import dataclass, field
from enum import StrEnum

DRIVES = ("nvme0n1", "nvme1n1")
DRIVE_BYTES = 1_024_209_543_168


class Disk(StrEnum):
    """What is on the drives."""

    BLANK = "blank"
    PROXMOX = "proxmox"
    OTHER = "other"
    """An operating system that serves nothing of ours, or one that was left half installed."""


class Runs(StrEnum):
    """What runs."""

    DISK = "disk"
    RESCUE = "rescue"
    NOTHING = "nothing"
    """It is booting, or there is nothing to boot."""


@dataclass
class Rescue:
    """A rescue system's memory, gone at the next boot: files by path, root's password hash, what is being run."""

    files: dict[str, str] = field(default_factory=dict)
    root_hash: str = ""


@dataclass
class Machine:
    """A server. ``host_key`` is the private key, PEM, of the rescue system that was activated last."""

    number: int
    name: str
    disk: Disk = Disk.BLANK
    runs: Runs = Runs.DISK
    host_key: str = ""
    rescue: Rescue = field(default_factory=Rescue)
    installations: int = 0
