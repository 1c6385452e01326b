"""Disks in memory that remember who wrote to them."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class System:
    """An operating system on a disk.

    Attributes:
        callback_path: where it says that it runs.
    """

    deployment_id: UUID
    hostname: str
    callback_path: str
    callback_token: str


@dataclass
class Disk:
    """A disk.

    Attributes:
        marker: what a tenant would know again; None on an empty disk.
    """

    name: str
    serial: str
    size_bytes: int
    marker: str | None = None
    system: System | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on it."""
        return self.marker is None and self.system is None

    def clear(self) -> None:
        """Leave nothing on it."""
        self.marker = self.system = None


@dataclass(frozen=True, slots=True)
class Write:
    """Something that was done to a disk.

    Attributes:
        number: of all that was done to disks of this machine, in order.
        deployment_id: for which; None for what a tenant did.
        marker: what is there now; None for nothing.
    """

    number: int
    disk: str
    deployment_id: UUID | None
    marker: str | None
