"""``WorkloadSpec``: everything one order bought, as data.

A workload's Pulumi stack is a pure function of this model, so storing the model stores the desired state.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from components.specs.names import Hostname, SshPublicKey
from components.specs.network import DnsSpec, Frozen, NetworkSpec


class WorkloadKind(StrEnum):
    """What kind of guest a workload is."""

    CLOUD_VM = "cloud_vm"
    GAME_SERVER = "game_server"
    BOT = "bot"


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


class _Workload(Frozen):
    workload_id: UUID
    order_id: UUID
    hostname: Hostname
    placement: Placement
    resources: Resources
    network: NetworkSpec
    dns: DnsSpec
    ssh_keys: tuple[SshPublicKey, ...] = ()
    started: bool = True

    @property
    def tags(self) -> tuple[str, ...]:
        """Guest tags, sorted as Proxmox VE sorts them; they prove whose guest this is after a crash."""
        return tuple(sorted(("slipway", f"order-{self.order_id}")))


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


WorkloadSpec = Annotated[CloudVmSpec | GameServerSpec | BotSpec, Field(discriminator="kind")]
"""Any workload, told apart by ``kind``."""

_ADAPTER: TypeAdapter[CloudVmSpec | GameServerSpec | BotSpec] = TypeAdapter(WorkloadSpec)


def parse_workload_spec(document: object) -> CloudVmSpec | GameServerSpec | BotSpec:
    """Validate a stored or received document.

    Raises:
        pydantic.ValidationError: naming each field that is wrong.
    """
    return _ADAPTER.validate_python(document)
