"""What a platform stack made, as Inventory is told it. The contract between the stacks and the API; holds no secret."""

import ipaddress
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, IPvAnyAddress, IPvAnyNetwork, model_validator

from components.specs.network import BridgeName, Frozen, ZoneId, ZoneName
from components.specs.platform.base import PlatformKind, Slug, parse_platform_stack
from components.specs.platform.machines import MachineReport
from components.specs.workload import StorageName

REPORT_OUTPUT = "inventory"
"""The stack output that holds the report, for whoever reads it from the state."""


class SiteReport(Frozen):
    """A data centre location, with the resolvers that its guests are given: a guest without one finds nothing."""

    slug: Slug
    name: str
    nameservers: Annotated[tuple[IPvAnyAddress, ...], Field(min_length=1, max_length=3)]


class StorageReport(Frozen):
    """A storage of a node. ``kind`` is Proxmox VE's type: ``lvmthin``, ``zfspool``, ``dir``, ``rbd``, ``pbs``."""

    name: StorageName
    kind: str
    content: tuple[str, ...]


class NodeTemplateReport(Frozen):
    """Where a template version lies on a node: ``source`` is a VMID or a volume id."""

    template: str
    version: str
    source: str


class NodeReport(Frozen):
    """A Proxmox VE node, its hardware, and what of it is kept for the host itself.

    The control plane's token for it is not here: it is deposited on its own, and is in no stack's state.
    """

    name: Slug
    site: str
    workload_class: Literal["game", "bot", "cloud"]
    endpoint: Annotated[str, Field(pattern=r"^https://")]
    verify_tls: bool = True
    cores: Annotated[int, Field(ge=1)]
    memory_mib: Annotated[int, Field(ge=512)]
    disk_gib: Annotated[int, Field(ge=1)]
    reserve_cores: Annotated[int, Field(ge=0)] = 2
    reserve_memory_mib: Annotated[int, Field(ge=0)] = 4096
    reserve_disk_gib: Annotated[int, Field(ge=0)] = 50
    cpu_overcommit: Annotated[float, Field(ge=1, le=16)] = 1.0
    storage: StorageName
    bridge: BridgeName
    templates: tuple[NodeTemplateReport, ...] = ()
    storages: tuple[StorageReport, ...] = ()
    server_number: int | None = None
    """Robot's number of the dedicated server."""

    @property
    def sellable_cores(self) -> int:
        """Cores that may be sold: what the host leaves, times the overcommit."""
        return max(0, int((self.cores - self.reserve_cores) * self.cpu_overcommit))

    @property
    def sellable_memory_mib(self) -> int:
        """Memory that may be sold; memory is never overcommitted."""
        return max(0, self.memory_mib - self.reserve_memory_mib)

    @property
    def sellable_disk_gib(self) -> int:
        """Disk that may be sold."""
        return max(0, self.disk_gib - self.reserve_disk_gib)


class PoolReport(Frozen):
    """A routed network that addresses are handed out of."""

    name: Slug
    site: str
    family: Literal[4, 6]
    cidr: ipaddress.IPv4Network | ipaddress.IPv6Network
    gateway: IPvAnyAddress

    @model_validator(mode="after")
    def _one_family(self) -> Self:
        if not self.cidr.version == self.gateway.version == self.family:
            raise ValueError("'family', 'cidr' and 'gateway' must speak of one IP version")
        return self


class NetworkKind(StrEnum):
    """What carries a network."""

    CLOUD = "cloud"
    """A subnet of a Hetzner Cloud network."""
    VSWITCH = "vswitch"
    """A VLAN between dedicated servers, perhaps joined to a cloud network."""
    VXLAN = "vxlan"
    """A customers' private LAN, carried over a vSwitch."""


class NetworkReport(Frozen):
    """A network of the address plan.

    Attributes:
        tag: the VLAN of a vSwitch, the network identifier of a VXLAN.
        mtu: in bytes, of what guests or hosts may send.
    """

    name: Slug
    kind: NetworkKind
    cidr: IPvAnyNetwork | None = None
    tag: int | None = None
    mtu: Annotated[int, Field(ge=1280, le=9000)] = 1500


class ZoneReport(Frozen):
    """A DNS zone; ``holds_workloads`` says that customers' names are made in it."""

    name: ZoneName
    provider_zone_id: ZoneId
    holds_workloads: bool = False


class ServerReport(Frozen):
    """A dedicated server of the bare-metal pool."""

    name: Slug
    number: Annotated[int, Field(ge=1)]
    site: str
    product: str
    datacenter: str
    address: str
    network: str = ""


class HostReport(Frozen):
    """A machine that Prometheus scrapes.

    Attributes:
        role: what it is for, such as ``node``, ``bastion``, ``api``, ``worker``, ``postgres``, ``backup``.
        address: where Prometheus reaches it, without a port.
        exporters: the port of each exporter on it, by its job's name: ``{"node": 9100}``.
    """

    name: Slug
    role: Slug
    address: str
    exporters: dict[Slug, Annotated[int, Field(ge=1, le=65535)]] = Field(default_factory=dict)


class StackReport(Frozen):
    """Everything that one stack made and Inventory is to know. What an earlier report had and this lacks is gone.

    Attributes:
        spec: the stack's configuration, so that staff can run it from the admin pages; it holds no secret.
    """

    stack: str
    kind: PlatformKind
    spec: dict[str, Any] = Field(default_factory=dict)
    sites: tuple[SiteReport, ...] = ()
    nodes: tuple[NodeReport, ...] = ()
    address_pools: tuple[PoolReport, ...] = ()
    networks: tuple[NetworkReport, ...] = ()
    dns_zones: tuple[ZoneReport, ...] = ()
    servers: tuple[ServerReport, ...] = ()
    machines: tuple[MachineReport, ...] = ()
    hosts: tuple[HostReport, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = parse_platform_stack(self.stack)
        if named is None or named[1] is not self.kind:
            raise ValueError(f"'stack' is '{self.stack}', which is not the name of a stack of the kind '{self.kind}'")
        for part, names in (
            ("sites", [site.slug for site in self.sites]),
            ("nodes", [node.name for node in self.nodes]),
            ("address_pools", [pool.name for pool in self.address_pools]),
            ("networks", [network.name for network in self.networks]),
            ("dns_zones", [zone.name for zone in self.dns_zones]),
            ("servers", [server.name for server in self.servers]),
            ("machines", [machine.name for machine in self.machines]),
            ("hosts", [host.name for host in self.hosts]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"'{part}' has '{twice[0]}' twice")
        if sum(zone.holds_workloads for zone in self.dns_zones) > 1:
            raise ValueError("'dns_zones': only one may have 'holds_workloads'")
        return self


def parse_report(document: Any) -> StackReport:
    """Read a report as the engine and its state write it, where every number is a float.

    Raises:
        pydantic.ValidationError: if it is none.
    """
    return StackReport.model_validate(_whole(document))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
