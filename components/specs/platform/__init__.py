"""Pure descriptions of the provider's own estate: what each platform stack is configured with, and what it made."""

from components.specs.platform.base import (
    EstateName,
    PlatformKind,
    PlatformSpec,
    Slug,
    credential_variable,
    parse_platform_stack,
    platform_stack,
)
from components.specs.platform.cloud_server import CloudServerSpec
from components.specs.platform.machines import MachineReport, PoolMachineSpec
from components.specs.platform.report import (
    REPORT_OUTPUT,
    HostReport,
    NetworkReport,
    NodeReport,
    NodeTemplateReport,
    PoolReport,
    ServerReport,
    SiteReport,
    StackReport,
    StorageReport,
    ZoneReport,
    parse_report,
)

__all__ = [
    "REPORT_OUTPUT",
    "CloudServerSpec",
    "EstateName",
    "HostReport",
    "MachineReport",
    "NetworkReport",
    "NodeReport",
    "NodeTemplateReport",
    "PlatformKind",
    "PlatformSpec",
    "PoolMachineSpec",
    "PoolReport",
    "ServerReport",
    "SiteReport",
    "Slug",
    "StackReport",
    "StorageReport",
    "ZoneReport",
    "credential_variable",
    "parse_platform_stack",
    "parse_report",
    "platform_stack",
]
