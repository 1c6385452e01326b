"""A machine that is not there: power, boot order, disks, and a thread for whatever runs on it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lab.metal.fleet.clock import FleetClock
from lab.metal.fleet.disks import Disk, Write
from lab.metal.fleet.troubles import Trouble, TroubleKind
from pxe.power.fake import FakeMachine
from pxe.power.interfaces import BootSource, PowerState

if TYPE_CHECKING:
    from components.specs.machine import DeploymentPhase

BMC_USER, BMC_PASSWORD = "slipway", "bmc-of-the-fleet"
GIB = 1024**3
_DISK_GIB = 240


class PowerGone(Exception):  # noqa: N818 - what happened
    """The machine is off, or boots anew: whatever ran on it is no more."""


@dataclass
class Boot:
    """One time that the machine was on."""

    source: BootSource
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """What a machine is known by."""

    machine_id: UUID
    name: str
    serial: str
    mac: str
    cores: int = 4
    memory_mib: int = 16_384
    disk_gib: int = _DISK_GIB


@dataclass
class Iron:
    """The machine. Thread-safe.

    Attributes:
        run: what runs on it once it is on; called in a thread of its own.
        surprises: what ran on it and broke in a way that no machine does.
    """

    label: Label
    run: Callable[["Iron", Boot], None]
    surprises: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._boot: Boot | None = None
        self._trouble: Trouble | None = None
        self.clock = FleetClock()
        self.disks = [Disk(name, f"{self.label.serial}-{name}", _DISK_GIB * GIB) for name in ("sda", "sdb")]
        self.writes: list[Write] = []
        self.bmc = FakeMachine(
            self.label.name,
            {BMC_USER: BMC_PASSWORD},
            self.clock,
            self.clock.pause,
            serial=self.label.serial,
            on_power=self._on_power,
        )

    def arm(self, trouble: Trouble | None) -> None:
        """Have something go wrong from now on, and nothing else any more."""
        fault = None if trouble is None else trouble.fault
        self.bmc.faults[:] = [] if fault is None else [fault]
        with self._lock:
            self._trouble = trouble

    def goes_wrong(self, kind: TroubleKind, phase: "DeploymentPhase | None" = None) -> bool:
        """Tell whether this goes wrong now; counts."""
        with self._lock:
            trouble = self._trouble
            if trouble is None or trouble.kind is not kind or trouble.times <= 0:
                return False
            if phase is not None and trouble.phase is not phase:
                return False
            trouble.times -= 1
            return True

    def write(self, boot: Boot | None, disk: Disk, deployment_id: UUID | None, change: Callable[[Disk], None]) -> None:
        """Change a disk.

        Raises:
            PowerGone: if the boot that wants it is over; the disk is as before.
        """
        with self._lock:
            if boot is not None and boot.is_over:
                raise PowerGone
            change(disk)
            self.writes.append(Write(len(self.writes), disk.name, deployment_id, disk.marker))

    def tenant_writes(self, marker: str) -> None:
        """Do as a customer does with root: fill every disk, and make a user at the BMC."""

        def fill(disk: Disk) -> None:
            disk.marker = marker

        for disk in self.disks:
            self.write(None, disk, None, fill)
        self.bmc.users[f"user-of-{marker}"] = "planted"

    def is_empty(self) -> bool:
        """Tell whether there is nothing on any disk."""
        with self._lock:
            return all(disk.is_empty for disk in self.disks)

    def facts(self, *, serial: str, disks: list[Disk]) -> dict[str, Any]:
        """Return what the machine's initrd says of it."""
        return {
            "serial": serial,
            "product": "not there",
            "cores": self.label.cores,
            "memory_mib": self.label.memory_mib - 300,
            "nics": [{"name": "eth0", "mac": self.label.mac}],
            "disks": [{"name": disk.name, "size_bytes": disk.size_bytes, "serial": disk.serial} for disk in disks],
            "firmware": "bios",
        }

    def _on_power(self, state: PowerState, source: BootSource | None) -> None:
        with self._lock:
            if self._boot is not None:
                self._boot.is_over = True
            self._boot = None if state is not PowerState.ON or source is None else Boot(source)
            boot = self._boot
        if boot is not None:
            self.clock.begin()
            threading.Thread(target=self._live, args=(boot,), name=self.label.name, daemon=True).start()

    def _live(self, boot: Boot) -> None:
        try:
            self.run(self, boot)
        except PowerGone:
            pass
        except BaseException as error:  # noqa: BLE001 - a thread's error would be lost
            self.surprises.append(error)
        finally:
            self.clock.end()
