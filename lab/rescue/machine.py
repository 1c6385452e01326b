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
    DEPLOYER = "deployer"
    """A kernel that its rescue system has put in its own place."""
    NOTHING = "nothing"
    """It is booting, or there is nothing to boot."""


@dataclass
class Rescue:
    """A rescue system's memory, gone at the next boot: files by path, root's password hash, a kernel to jump to.

    Attributes:
        loaded: what the script that loads the deployer was told; empty: no kernel is loaded.
    """

    files: dict[str, str] = field(default_factory=dict)
    root_hash: str = ""
    loaded: tuple[str, ...] = ()


@dataclass
class Machine:
    """A server.

    Attributes:
        host_key: the private key, PEM, of the rescue system that was activated last.
        deployer: what the deployer that was started last was told: MAC, VLAN, address and the boot service's address.
    """

    number: int
    name: str
    disk: Disk = Disk.BLANK
    runs: Runs = Runs.DISK
    host_key: str = ""
    rescue: Rescue = field(default_factory=Rescue)
    installations: int = 0
    deployer: tuple[str, ...] = ()
