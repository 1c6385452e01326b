"""A machine: firmware, cards, disks, a serial console and a power switch. QEMU, without hardware virtualisation."""

import contextlib
import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from components.specs.machine_facts import Firmware
from lab.metal.network import ProvisioningNetwork
from lab.metal.tools import program
from lab.metal.uefi import uefi_drives

_STOP_SECONDS = 20.0
_MEMORY_MIB = 1024


class BootDevice(StrEnum):
    """What the firmware tries first."""

    DISK = "disk"
    PXE = "pxe"

    @property
    def letter(self) -> str:
        """As QEMU's ``-boot`` writes it; the other one is tried after it."""
        return "cn" if self is BootDevice.DISK else "nc"


@dataclass
class MachineFaults:
    """What is wrong with a machine.

    Attributes:
        ignores_boot_once: it boots from the network each time once it was told to, as some firmware does.
        ignores_power: its controller takes commands, and nothing happens.
    """

    ignores_boot_once: bool = False
    ignores_power: bool = False


@dataclass(frozen=True)
class MachineSpec:
    """A machine as hardware.

    Attributes:
        disk_mib: sizes of its disks; they are sparse files.
        mac: of its one card.
        cores: one by default. With more, QEMU without hardware virtualisation lets a core run an instruction that
            another is patching, and a kernel that changes its own text while it boots falls over it now and then
            ("Oops: int3").
    """

    name: str
    serial: str
    mac: str
    disk_mib: tuple[int, ...] = (1024,)
    memory_mib: int = _MEMORY_MIB
    cores: int = 1
    firmware: Firmware = Firmware.BIOS
    uuid: UUID = field(default_factory=uuid4)


class QemuMachine:
    """A machine that is off at first. Safe to use from several threads: a controller has its own.

    Attributes:
        powered_at: ``time.monotonic()`` of each start.
        faults: may be changed at any time.
    """

    def __init__(self, spec: MachineSpec, network: ProvisioningNetwork, folder: Path) -> None:
        self.spec = spec
        self.faults = MachineFaults()
        self.powered_at: list[float] = []
        self._network = network
        self._folder = folder
        self._tap = network.add_tap()
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._device = BootDevice.DISK
        self._once: BootDevice | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for path, size in zip(self.disks, spec.disk_mib, strict=True):
            with path.open("ab") as disk:  # what an earlier run of the lab wrote stays
                disk.truncate(size << 20)

    @property
    def disks(self) -> list[Path]:
        """The files behind its disks, in the order of ``vda``, ``vdb``."""
        return [self._folder / f"disk{number}.raw" for number in range(len(self.spec.disk_mib))]

    @property
    def is_on(self) -> bool:
        """Whether it runs. It ends by itself when its system switches it off."""
        with self._lock:
            return self._process is not None and self._process.poll() is None

    @property
    def boot_device(self) -> BootDevice:
        """What the next start tries first."""
        return self._once or self._device

    @property
    def boots_once(self) -> bool:
        """Whether that counts for the next start only."""
        return self._once is not None

    def set_boot_device(self, device: BootDevice, *, once: bool = False) -> None:
        """Choose what is tried first, for the next start only or from now on; counts from the next power-on."""
        with self._lock:
            if once and not self.faults.ignores_boot_once:
                self._once = device
            else:
                self._device, self._once = device, None

    def power_on(self) -> None:
        """Switch it on; nothing happens if it is."""
        with self._lock:
            if self.is_on or self.faults.ignores_power:
                return
            self._reap()
            with (self._folder / "qemu.log").open("ab") as log:
                self._process = self._start(log)
            self.powered_at.append(time.monotonic())
            self._once = None

    def power_off(self) -> None:
        """Cut its power at once: what was not on the disk is lost."""
        with self._lock:
            if self._process is not None and not self.faults.ignores_power:
                self._process.kill()
                self._reap()

    def reset(self) -> None:
        """Off and on again."""
        self.power_off()
        self.power_on()

    def wait_off(self, seconds: float) -> bool:
        """Wait until it switched itself off; says whether it did."""
        with self._lock:
            process = self._process
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        return not self.is_on

    @property
    def folder(self) -> Path:
        """With its disks, its console, and what its firmware remembers."""
        return self._folder

    @property
    def console_path(self) -> Path:
        """The file with all that came out of its serial port, over all its starts."""
        return self._folder / "console.log"

    def console(self) -> str:
        """What that file holds."""
        return self.console_path.read_text(errors="replace") if self.console_path.exists() else ""

    def disk_sums(self) -> list[str]:
        """SHA-256 of each disk's file: whether anything was written."""
        sums = []
        for path in self.disks:
            with path.open("rb") as disk:
                sums.append(hashlib.file_digest(disk, "sha256").hexdigest())
        return sums

    def close(self) -> None:
        """Switch it off for good."""
        self.faults.ignores_power = False
        self.power_off()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._network.command(*self._command()),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(self._folder)},
        )

    def _boot_options(self) -> Sequence[str]:
        """``once`` counts for the first boot of this process: a restart from inside then takes the usual order.

        UEFI has an order of its own, which the system may change; it is only told to try the network before that, which
        counts until the process ends.
        """
        if self.spec.firmware is Firmware.UEFI:
            return uefi_drives(self._folder)
        if self._once is None:
            return "-boot", f"order={self._device.letter}"
        return "-boot", f"once={self._once.letter},order={self._device.letter}"

    def _rank(self, number: int) -> str:
        """Of the card (0) and of the first disk (1), where UEFI is to try them before its own order."""
        is_told = self.spec.firmware is Firmware.UEFI and self.boot_device is BootDevice.PXE
        return f",bootindex={number}" if is_told else ""

    def _command(self) -> Sequence[str]:
        spec = self.spec
        drives = []
        for number, path in enumerate(self.disks):
            rank = "" if number else self._rank(1)
            drives += [
                "-drive",
                f"if=none,id=disk{number},format=raw,cache=writeback,discard=unmap,detect-zeroes=unmap,file={path}",
                "-device",
                f"virtio-blk-pci,drive=disk{number},serial={spec.serial[:16]}-{number}{rank}",
            ]
        return [
            program("qemu-system-x86_64"),
            *("-name", spec.name, "-uuid", str(spec.uuid)),
            *("-accel", "tcg,thread=multi", "-machine", "pc,graphics=off", "-cpu", "max"),
            *("-smp", str(spec.cores), "-m", str(spec.memory_mib)),
            *("-nodefaults", "-display", "none", "-monitor", "none"),
            *("-chardev", f"file,id=console,path={self.console_path},append=on", "-serial", "chardev:console"),
            *("-smbios", f"type=1,manufacturer=Slipway,product=Lab machine,serial={spec.serial},uuid={spec.uuid}"),
            *("-netdev", f"tap,id=net0,ifname={self._tap},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=net0,mac={spec.mac}{self._rank(0)}"),
            *("-device", "virtio-rng-pci"),
            *self._boot_options(),
            *drives,
        ]
