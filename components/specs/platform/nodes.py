"""The ``nodes`` stack: dedicated servers as Proxmox VE nodes, and everything on them that is not a customer's."""

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import BridgeName, Frozen, ZoneName
from components.specs.platform.base import PlatformSpec, Slug
from components.specs.platform.installation import InstallationProfile, InstallationSpec
from components.specs.platform.node_access import Grant, NodeAccessSpec, control_plane_grants
from components.specs.platform.node_firewall import NodeFirewallSpec
from components.specs.platform.node_network import NodeNetworkSpec, PrivateNetworkSpec
from components.specs.platform.node_storage import LOCAL, LOCAL_CONTENT, StorageSpec
from components.specs.platform.node_templates import TemplatePlaceSpec, TemplateSpec, check_templates
from components.specs.platform.report import NodeReport, StorageReport
from components.specs.workload import StorageName

NODE_EXPORTER = 9100
"""The port at which Prometheus finds a node's own numbers."""

_DISKS_OF = {"cloud": "images", "game": "rootdir", "bot": "rootdir"}
"""What a class's guests have their disks as: machines, or containers."""


class MetricServerSpec(Frozen):
    """Where Proxmox VE pushes its own numbers to, by a protocol that needs no secret."""

    name: Slug
    kind: Literal["graphite", "influxdb", "opentelemetry"]
    server: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)]


class NodeSpec(Frozen):
    """One independent Proxmox VE host; no cluster.

    Attributes:
        server_number: Robot's number of the dedicated server.
        endpoint: of the API; without one it is read from ``PROXMOX_VE_ENDPOINT_<NODE>``.
        private_address: on the vSwitch; Prometheus and the other servers reach it there.
        cores: with the sizes below, what the machine has; the reserve is what the host keeps of it.
        storage: where guests' disks go.
        bridge: what guests are plugged into.
        network: its interfaces.
        token_rotation: raise it, and the control plane gets a new token.
        installation: what a blank server is installed with.
        reinstall: raise it to have a node that carries no guest installed anew; everything on it is lost.
    """

    name: Slug
    workload_class: Literal["game", "bot", "cloud"]
    site: Slug
    server_number: Annotated[int, Field(ge=1)]
    endpoint: Annotated[str, Field(pattern=r"^https://[^/]+$")] | None = None
    verify_tls: bool = True
    private_address: ipaddress.IPv4Address
    cores: Annotated[int, Field(ge=1)]
    memory_mib: Annotated[int, Field(ge=512)]
    disk_gib: Annotated[int, Field(ge=1)]
    reserve_cores: Annotated[int, Field(ge=0)] = 2
    reserve_memory_mib: Annotated[int, Field(ge=0)] = 4096
    reserve_disk_gib: Annotated[int, Field(ge=0)] = 50
    cpu_overcommit: Annotated[float, Field(ge=1, le=16)] = 1.0
    storage: StorageName
    bridge: BridgeName = "vmbr0"
    storages: Annotated[tuple[StorageSpec, ...], Field(min_length=1)]
    network: NodeNetworkSpec = NodeNetworkSpec()
    token_rotation: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    installation: InstallationProfile = InstallationProfile()
    reinstall: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _each_once(f"node '{self.name}': storages", self.storages, "name")
        by_name = {item.name: item for item in self.storages}
        if self.storage not in by_name:
            raise ValueError(f"node '{self.name}': storage: '{self.storage}' is none of 'storages'")
        disks = _DISKS_OF[self.workload_class]
        if disks not in by_name[self.storage].content:
            problem = (
                f"'{self.storage}' does not hold '{disks}', which guests of the class '{self.workload_class}' need"
            )
            raise ValueError(f"node '{self.name}': storage: {problem}: add it to its content")
        for unit in ("cores", "memory_mib", "disk_gib"):
            if getattr(self, f"reserve_{unit}") >= getattr(self, unit):
                raise ValueError(f"node '{self.name}': reserve_{unit}: nothing would be left for guests: lower it")
        return self

    @property
    def place(self) -> TemplatePlaceSpec:
        """Where templates are made; machines' images go to the first storage that takes them."""
        takers = [item.name for item in self.storages if "import" in item.content]
        images = takers[0] if takers else LOCAL
        return TemplatePlaceSpec(
            machine_images=images, container_templates=LOCAL, disks=self.storage, bridge=self.bridge
        )

    def check_templates(self, templates: Iterable[TemplateSpec]) -> None:
        """Hold the node against the templates that it is to have.

        Raises:
            ValueError: if a machine's template has no storage to be imported from.
        """
        machines = [template.label for template in templates if template.kind == "vm"]
        if machines and self.place.machine_images == LOCAL:
            problem = f"none takes 'import', which the template '{machines[0]}' needs"
            raise ValueError(f"node '{self.name}': storages: {problem}: add a 'dir' with it")

    def access(self, endpoint: str, templates: Iterable[int]) -> NodeAccessSpec:
        """Return the control plane's access; ``templates`` are VMIDs."""
        return NodeAccessSpec(
            node=self.name,
            endpoint=endpoint,
            verify_tls=self.verify_tls,
            rotation=self.token_rotation,
            grants=self.grants(templates),
        )

    def grants(self, templates: Iterable[int]) -> tuple[Grant, ...]:
        """Return what the control plane may do here."""
        return control_plane_grants(self.name, [self.storage], templates)

    def report(self, endpoint: str) -> NodeReport:
        """Return what Inventory is told, without the templates."""
        shared = NodeReport.model_fields.keys() & type(self).model_fields.keys() - {"endpoint", "storages"}
        kept = {name: getattr(self, name) for name in shared}
        declared = [StorageReport(name=item.name, kind=item.kind, content=item.content) for item in self.storages]
        local = StorageReport(name=LOCAL, kind="dir", content=LOCAL_CONTENT)
        return NodeReport(**kept, endpoint=endpoint, storages=(local, *declared))


class NodesSpec(PlatformSpec):
    """All nodes of an estate, and what they have in common.

    Attributes:
        domain: what the nodes' full names end in. With it, a server that is blank is installed first; without it,
            Proxmox VE has to be on all of them already.
        private_network: what connects them, and carries the customers' private LANs.
        templates: what guests are made from; each node has those of its class. An old version stays in the list for as
            long as guests use it.
    """

    nodes: Annotated[tuple[NodeSpec, ...], Field(min_length=1)]
    firewall: NodeFirewallSpec
    domain: ZoneName | None = None
    metric_servers: tuple[MetricServerSpec, ...] = ()
    private_network: PrivateNetworkSpec | None = None
    templates: tuple[TemplateSpec, ...] = ()

    @model_validator(mode="after")
    def _each_node_is_another(self) -> Self:
        for field in ("name", "server_number", "private_address"):
            _each_once("nodes", self.nodes, field)
        _each_once("nodes", [node for node in self.nodes if node.endpoint is not None], "endpoint")
        _each_once("metric_servers", self.metric_servers, "name")
        return self

    @model_validator(mode="after")
    def _nodes_fit_what_they_share(self) -> Self:
        check_templates(self.templates)
        for node in self.nodes:
            node.check_templates(self.templates_of(node))
            if self.private_network is not None:
                self.private_network.check_node(node.name, node.private_address, node.network)
        return self

    @property
    def installations(self) -> tuple[InstallationSpec, ...]:
        """What each server is installed with while it is blank; none if they are installed by other means."""
        if self.domain is None:
            return ()
        return tuple(
            InstallationSpec(
                number=node.server_number,
                name=node.name,
                domain=self.domain,
                profile=node.installation,
                reinstall=node.reinstall,
            )
            for node in self.nodes
        )

    def templates_of(self, node: NodeSpec) -> tuple[TemplateSpec, ...]:
        """Return the template versions that a node is to have."""
        return tuple(item for item in self.templates if item.workload_class == node.workload_class)


def _each_once(where: str, items: Iterable[Any], field: str) -> None:
    seen: set[Any] = set()
    for value in (getattr(item, field) for item in items):
        if value in seen:
            raise ValueError(f"{where}: two have the {field} '{value}': give one of them another")
        seen.add(value)
