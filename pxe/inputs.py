"""What the four resources of a machine are given. No secret is among it: all of it ends up in a stack's state."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, IPvAnyAddress

from components.specs.machine import BootProfile, MacAddress, MachineName, Serial, Sha256
from components.specs.network import Frozen


class MachineInputs(Frozen):
    """What every one of them is about.

    Attributes:
        name: of the machine, for people.
        workload_id: whom it is held for.
    """

    machine_id: UUID
    name: MachineName
    workload_id: UUID


class ClaimInputs(MachineInputs):
    """A machine is this workload's."""

    serial: Serial
    boot_mac: MacAddress


class WipeInputs(MachineInputs):
    """A machine is wiped before it goes back."""


class ProfileInputs(MachineInputs):
    """What the next installation writes.

    Attributes:
        digest: the profile's, told beforehand so that a preview knows it.
    """

    profile: BootProfile
    digest: Sha256


class InstallationInputs(MachineInputs):
    """What runs on a machine.

    Attributes:
        image: name of what is on the disks.
        profile_digest: of all that decides what is on them.
        installation: a higher number installs again, whatever is there.
        started: it is on.
        rescue: it runs the rescue system.
        boots_from: its own disks, and nothing that a BMC was told by somebody.
        address: where SSH answers once it is installed.
    """

    image: str
    profile_digest: Sha256
    installation: Annotated[int, Field(ge=1)]
    started: bool = True
    rescue: bool = False
    boots_from: Literal["disk"] = "disk"
    address: IPvAnyAddress
