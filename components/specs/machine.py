"""A dedicated machine's life, and what is put on it, as data."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, IPvAnyAddress

from components.specs.names import Hostname, SshPublicKey
from components.specs.network import Frozen, Ipv4Spec, Ipv6Spec, PortRule


class MachineState(StrEnum):
    """Where a machine of the pool is in its life; the words are OpenStack Ironic's where it has them.

    ``MACHINE_MOVES`` says which state may follow which.
    """

    ENROLL = "enroll"
    """Somebody has told us of it: name, BMC, boot MAC. Nothing of that has been looked at."""
    INSPECT = "inspect"
    """Our initrd runs on it and reports its hardware, which is held against what was told."""
    CLEAN = "clean"
    """Inspected and found as told; being wiped for the first time, for nobody knows what is on its disks."""
    AVAILABLE = "available"
    """Wiped after whoever used it last, and powered off: it can be sold."""
    RESERVED = "reserved"
    """Held for one workload; its disks have not been touched for it."""
    DEPLOYING = "deploying"
    """An operation is writing an image to it, or installing an operating system."""
    ACTIVE = "active"
    """The customer's. It boots from its own disks and is never given an installer."""
    RESCUE = "rescue"
    """The customer's, running the rescue system from memory; its disks are left alone."""
    CLEANING = "cleaning"
    """The customer is gone; being wiped."""
    QUARANTINE = "quarantine"
    """Something about it is not as it must be. Nothing leaves this but by a person's decision."""
    RETIRED = "retired"
    """Gone from the racks. It is remembered for the proofs that it was wiped; told of again, it begins anew."""


_S = MachineState
MACHINE_MOVES: Mapping[MachineState, frozenset[MachineState]] = MappingProxyType(
    {
        _S.ENROLL: frozenset({_S.INSPECT, _S.QUARANTINE, _S.RETIRED}),
        _S.INSPECT: frozenset({_S.CLEAN, _S.QUARANTINE}),
        _S.CLEAN: frozenset({_S.AVAILABLE, _S.QUARANTINE}),
        _S.AVAILABLE: frozenset({_S.RESERVED, _S.INSPECT, _S.QUARANTINE, _S.RETIRED}),
        _S.RESERVED: frozenset({_S.DEPLOYING, _S.AVAILABLE, _S.CLEANING, _S.QUARANTINE}),
        _S.DEPLOYING: frozenset({_S.ACTIVE, _S.CLEANING, _S.QUARANTINE}),
        _S.ACTIVE: frozenset({_S.DEPLOYING, _S.RESCUE, _S.CLEANING, _S.QUARANTINE}),
        _S.RESCUE: frozenset({_S.ACTIVE, _S.DEPLOYING, _S.CLEANING, _S.QUARANTINE}),
        _S.CLEANING: frozenset({_S.AVAILABLE, _S.QUARANTINE}),
        _S.QUARANTINE: frozenset({_S.INSPECT, _S.RETIRED}),
        _S.RETIRED: frozenset({_S.ENROLL}),
    }
)
"""``reserved`` goes back to ``available`` only if nothing was written, which the wipe gate sees for itself."""

NETBOOTED = frozenset({_S.INSPECT, _S.CLEAN, _S.DEPLOYING, _S.RESCUE, _S.CLEANING})
"""The states in which a machine may be given anything but its own disk, and only for a deployment that is open."""


class DeploymentKind(StrEnum):
    """What a machine is booted over the network for."""

    INSPECT = "inspect"
    INSTALL = "install"
    WIPE = "wipe"
    RESCUE = "rescue"


class DeploymentPhase(StrEnum):
    """How far a deployment is, in the order in which a machine goes through them; each is told by whom it names."""

    POWER = "power"
    """By the control plane: the machine is told to boot from the network, and switched on."""
    SCRIPT = "script"
    """By the boot service: firmware and DHCP are done, and the machine's boot script was served."""
    INSPECT = "inspect"
    """By the initrd or installer: its kernel runs, and it has shown token, serial and hardware."""
    WRITE = "write"
    """By the initrd: the image is being written, or the disks are being wiped."""
    VERIFY = "verify"
    """By the initrd: what was written is read back and compared."""
    CONFIGURE = "configure"
    """By the initrd: partition grown; keys, name and network placed."""
    REBOOT = "reboot"
    """By the initrd: everything is on the disk, and the machine starts from there (or switches off after a wipe)."""
    FIRST_BOOT = "first_boot"
    """By the installed system: it runs and has the network."""
    DONE = "done"
    """By the control plane: verified."""


class DiskLayout(StrEnum):
    """How the disks are used."""

    SINGLE = "single"
    """The smallest disk that is large enough carries the system; the others stay empty."""
    RAID1 = "raid1"
    """The system on two disks of one size, mirrored (Linux md, metadata at the end so that firmware can boot it)."""


class ImageFormat(StrEnum):
    """How an operating system is put on a machine."""

    RAW = "raw"
    """A disk image, byte by byte; may be compressed (``compression``)."""
    INSTALLER_DEBIAN = "installer-debian"
    """debian-installer with a preseed file."""
    INSTALLER_UBUNTU = "installer-ubuntu"
    """Subiquity with an autoinstall file (a NoCloud seed)."""
    INSTALLER_ROCKY = "installer-rocky"
    """Anaconda with a kickstart file."""
    INSTALLER_PROXMOX = "installer-proxmox"
    """Proxmox VE's automated installation with an answer file."""


class Compression(StrEnum):
    """What a disk image is compressed with."""

    NONE = "none"
    GZIP = "gzip"


def _checked_mac(value: str) -> str:
    octets = value.strip().lower().replace("-", ":").split(":")
    if len(octets) != 6 or any(len(octet) != 2 or set(octet) - set("0123456789abcdef") for octet in octets):  # noqa: PLR2004 - EUI-48
        raise ValueError("a MAC address is six octets of two hexadecimal digits, separated by colons")
    if int(octets[0], 16) & 1:
        raise ValueError("this is a group's MAC address: a network card has one with an even first octet")
    return ":".join(octets)


MacAddress = Annotated[str, AfterValidator(_checked_mac)]
"""A network card's own address: lower case, colons (IEEE 802)."""

Serial = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A machine's serial number as its SMBIOS gives it (DMI type 1)."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MachineName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
MachineClass = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""A kind of machine that is sold as one thing; the slug of a size in the catalogue."""


class MachineImage(Frozen):
    """What is put on a machine.

    Attributes:
        sha256: of the file as it is served, compressed or not; an installer's kernel and initrd have their own.
        content_sha256: of the disk image once unpacked: what is read back from the disk is held against it.
        size_bytes: of the unpacked image: what a disk has to hold at least.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]{0,62}$")]
    format: ImageFormat = ImageFormat.RAW
    compression: Compression = Compression.NONE
    sha256: Sha256
    content_sha256: Sha256
    size_bytes: Annotated[int, Field(ge=512)]


class MachineRef(Frozen):
    """The machine that is held for a workload; ``serial`` is checked on the machine before any disk is touched."""

    machine_id: UUID
    name: MachineName
    serial: Serial
    boot_mac: MacAddress


class MachineNetwork(Frozen):
    """How the installed system is reached: static addresses on the card with the boot MAC.

    A /32 has its gateway off-link, which the configuration says (``onlink``), as for every routed guest.
    """

    ipv4: Ipv4Spec
    ipv6: Ipv6Spec
    nameservers: tuple[IPvAnyAddress, ...] = ()

    @property
    def open_ports(self) -> tuple[PortRule, ...]:
        """None: what a machine lets in is for its own firewall to say."""
        return ()


class BootProfile(Frozen):
    """All that decides what a machine becomes. No secret: keys are public ones.

    Attributes:
        user: the account that gets the keys; ``root`` where the image has no other.
    """

    image: MachineImage
    layout: DiskLayout = DiskLayout.SINGLE
    hostname: Hostname
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "root"
    ssh_keys: tuple[SshPublicKey, ...] = ()
    network: MachineNetwork

    @property
    def digest(self) -> str:
        """SHA-256 of the profile as canonical JSON: the same on both sides of the machine API, whoever computes it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
