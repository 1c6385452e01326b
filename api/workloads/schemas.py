"""Workloads as their owner sees them."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from api.workloads.models import StatusChange, Workload, WorkloadStatus
from components.specs import PortRule, Resources, WorkloadKind, parse_workload_spec


class WorkloadView(BaseModel):
    """A workload. ``desired_power`` is what was asked for, ``status`` is what is."""

    id: UUID
    order_id: UUID
    name: str
    kind: WorkloadKind
    status: WorkloadStatus
    desired_power: Literal["on", "off"]
    node: str
    resources: Resources
    ipv4: IPv4Address
    ipv6: IPv6Address
    ipv6_network: IPv6Network
    fqdn: str
    open_ports: list[PortRule]
    attention: str | None
    created_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, workload: Workload) -> "WorkloadView":
        """Show a workload."""
        spec = parse_workload_spec(workload.desired)
        return cls(
            id=workload.id,
            order_id=workload.order_id,
            name=workload.name,
            kind=workload.kind,
            status=workload.status,
            desired_power="on" if spec.started else "off",
            node=spec.location,
            resources=spec.resources,
            ipv4=spec.network.ipv4.address,
            ipv6=spec.network.ipv6.address,
            ipv6_network=spec.network.ipv6.network,
            fqdn=spec.dns.fqdn,
            open_ports=list(spec.network.open_ports),
            attention="Our staff has been told and is looking into it." if workload.attention else None,
            created_at=workload.created_at,
            deleted_at=workload.deleted_at,
        )


class StatusChangeView(BaseModel):
    """A line of a workload's history."""

    id: UUID
    at: datetime
    from_status: WorkloadStatus | None
    to_status: WorkloadStatus
    reason: str

    @classmethod
    def of(cls, change: StatusChange) -> "StatusChangeView":
        """Show a line."""
        return cls(
            id=change.id,
            at=change.created_at,
            from_status=change.from_status,
            to_status=change.to_status,
            reason=change.reason,
        )
