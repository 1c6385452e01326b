"""``WorkloadSpec``: everything one order bought, as data.

A workload's Pulumi stack is a pure function of this model, so storing the model stores the desired state.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from components.specs.machine import BootProfile, DiskLayout, MachineImage, MachineNetwork, MachineRef
from components.specs.names import Hostname, SshPublicKey
from components.specs.network import DnsSpec, Frozen, NetworkSpec


class WorkloadKind(StrEnum):
    """What kind of thing a workload is: a guest of a node, or a machine of its own."""

    CLOUD_VM = "cloud_vm"
    GAME_SERVER = "game_server"
    BOT = "bot"
    BARE_METAL = "bare_metal"


class ContainerOs(StrEnum):
    """How Proxmox VE sets up network, host name and SSH keys inside a container's file system.

    The values are Proxmox VE's own ``ostype``; ``unmanaged`` leaves the file system alone.
    """

    ALPINE = "alpine"
    ARCHLINUX = "archlinux"
    CENTOS = "centos"
    DEBIAN = "debian"
    FEDORA = "fedora"
    OPENSUSE = "opensuse"
    UBUNTU = "ubuntu"
    UNMANAGED = "unmanaged"


Vmid = Annotated[int, Field(ge=100, le=999_999_999)]
"""A guest's number on a node, in the range that Proxmox VE allows."""

StorageName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,62}$")]
"""A node's storage, as Proxmox VE names it."""

TemplateVolume = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9._-]*:vztmpl/[A-Za-z0-9._+-]+$")]
"""A container template's volume id, for example ``local:vztmpl/debian-12.tar.zst``."""

CommandWord = Annotated[str, Field(min_length=1, max_length=512)]
"""One word of a container's start command."""

VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
"""An environment variable's name."""


class Placement(Frozen):
    """Where the guest lives, decided and reserved before the engine starts."""

    node: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    vmid: Vmid
    storage: StorageName


class Resources(Frozen):
    """What the guest may use."""

    cores: Annotated[int, Field(ge=1, le=128)]
    memory_mib: Annotated[int, Field(ge=128, le=1_048_576)]
    disk_gib: Annotated[int, Field(ge=1, le=65_536)]


class _Ordered(Frozen):
    workload_id: UUID
    order_id: UUID
    hostname: Hostname
    resources: Resources
    dns: DnsSpec
    ssh_keys: tuple[SshPublicKey, ...] = ()
    started: bool = True

    @property
    def tags(self) -> tuple[str, ...]:
        """Guest tags, sorted as Proxmox VE sorts them; they prove whose guest this is after a crash."""
        return tuple(sorted(("slipway", f"order-{self.order_id}")))


class _Workload(_Ordered):
    placement: Placement
    network: NetworkSpec

    @property
    def location(self) -> str:
        """The name of the node."""
        return self.placement.node


class CloudVmSpec(_Workload):
    """A virtual machine cloned from a VM template of its node."""

    kind: Literal[WorkloadKind.CLOUD_VM] = WorkloadKind.CLOUD_VM
    template_vmid: Vmid
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")]


class ContainerSpec(_Workload):
    """What game servers and bots share: a container made from a template volume of its node.

    Attributes:
        os_type: the template's operating system.
        start_command: the program that runs as the container's init, with its arguments; empty boots the template's
            own init.
        environment: what that program finds in its environment. It is stored in clear: never a credential.
    """

    template_volume: TemplateVolume
    os_type: ContainerOs = ContainerOs.DEBIAN
    start_command: tuple[CommandWord, ...] = ()
    environment: dict[VariableName, str] = Field(default_factory=dict)


class GameServerSpec(ContainerSpec):
    """A game server: a container with the game's ports open."""

    kind: Literal[WorkloadKind.GAME_SERVER] = WorkloadKind.GAME_SERVER
    game: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]


class BotSpec(ContainerSpec):
    """A bot: a small container that dials out and answers on no port of its own unless asked to."""

    kind: Literal[WorkloadKind.BOT] = WorkloadKind.BOT


class BareMetalSpec(_Ordered):
    """A machine of one's own.

    Attributes:
        installation: counts what the customer asked to have installed: a higher number installs again, whatever is on
            the disks.
        rescue: the machine runs the rescue system instead of what is on its disks.
    """

    kind: Literal[WorkloadKind.BARE_METAL] = WorkloadKind.BARE_METAL
    machine: MachineRef
    image: MachineImage
    layout: DiskLayout = DiskLayout.SINGLE
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "root"
    network: MachineNetwork
    installation: Annotated[int, Field(ge=1)] = 1
    rescue: bool = False

    @property
    def location(self) -> str:
        """The name of the machine."""
        return self.machine.name

    @property
    def profile(self) -> BootProfile:
        """What is to be on its disks."""
        return BootProfile(
            image=self.image,
            layout=self.layout,
            hostname=self.hostname,
            user=self.user,
            ssh_keys=self.ssh_keys,
            network=self.network,
        )


GuestSpec = CloudVmSpec | GameServerSpec | BotSpec
"""A workload that is a guest of a node."""

WorkloadSpec = Annotated[CloudVmSpec | GameServerSpec | BotSpec | BareMetalSpec, Field(discriminator="kind")]
"""Any workload, told apart by ``kind``."""

_ADAPTER: TypeAdapter[CloudVmSpec | GameServerSpec | BotSpec | BareMetalSpec] = TypeAdapter(WorkloadSpec)


def parse_workload_spec(document: object) -> CloudVmSpec | GameServerSpec | BotSpec | BareMetalSpec:
    """Validate a stored or received document.

    Raises:
        pydantic.ValidationError: naming each field that is wrong.
    """
    return _ADAPTER.validate_python(document)


def parse_guest_spec(document: object) -> GuestSpec:
    """Validate a document that is known to describe a guest of a node.

    Raises:
        pydantic.ValidationError: naming each field that is wrong.
        ValueError: if it describes a machine.
    """
    spec = parse_workload_spec(document)
    if isinstance(spec, BareMetalSpec):
        raise ValueError("kind: a machine is no guest of a node")  # noqa: TRY004 - what is wrong is the document
    return spec
