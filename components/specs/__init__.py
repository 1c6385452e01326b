"""Pure descriptions of what a workload is.

No I/O and no pulumi in here: the API validates and stores these models, the engine builds resources from them.
"""

from components.specs.names import Hostname, SshPublicKey, link_local_address, mac_address
from components.specs.network import (
    BridgeName,
    DnsSpec,
    Ipv4Spec,
    Ipv6Spec,
    NetworkSpec,
    PortRule,
    Protocol,
    ZoneId,
    ZoneName,
)
from components.specs.workload import (
    BotSpec,
    CloudVmSpec,
    CommandWord,
    ContainerOs,
    ContainerSpec,
    GameServerSpec,
    Placement,
    Resources,
    StorageName,
    TemplateVolume,
    VariableName,
    Vmid,
    WorkloadKind,
    WorkloadSpec,
    parse_workload_spec,
)

__all__ = [
    "BotSpec",
    "BridgeName",
    "CloudVmSpec",
    "CommandWord",
    "ContainerOs",
    "ContainerSpec",
    "DnsSpec",
    "GameServerSpec",
    "Hostname",
    "Ipv4Spec",
    "Ipv6Spec",
    "NetworkSpec",
    "Placement",
    "PortRule",
    "Protocol",
    "Resources",
    "SshPublicKey",
    "StorageName",
    "TemplateVolume",
    "VariableName",
    "Vmid",
    "WorkloadKind",
    "WorkloadSpec",
    "ZoneId",
    "ZoneName",
    "link_local_address",
    "mac_address",
    "parse_workload_spec",
]
