"""Workloads as their owner sees them."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.auth.fields import Label
from api.workloads.models import StatusChange, Workload, WorkloadStatus
from components.specs import BareMetalSpec, PortRule, Resources, WorkloadKind, parse_workload_spec
from components.specs.machine import DiskLayout


class OwnMachineView(BaseModel):
    """The machine of a bare-metal workload, and what is, or is to be, on it; ``user`` is who has the SSH keys."""

    name: str
    image: str
    layout: DiskLayout
    user: str
    rescue: bool

    @classmethod
    def of(cls, spec: BareMetalSpec) -> Self:
        """Show a machine."""
        return cls(
            name=spec.machine.name, image=spec.image.name, layout=spec.layout, user=spec.user, rescue=spec.rescue
        )


class WorkloadView(BaseModel):
    """A workload. ``desired_power`` is what was asked for, ``status`` is what is.

    Attributes:
        node: the node, or the machine, that it is on.
        machine: of a bare-metal workload only.
    """

    id: UUID
    order_id: UUID
    name: str
    kind: WorkloadKind
    status: WorkloadStatus
    desired_power: Literal["on", "off"]
    node: str
    machine: OwnMachineView | None
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
            machine=OwnMachineView.of(spec) if isinstance(spec, BareMetalSpec) else None,
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


class ReinstallRequest(BaseModel):
    """What is to be on a machine's disks; everything that is there now is lost.

    Attributes:
        template: the slug of one that the machine could be ordered with.
        layout: how the disks are used; as now, if it is left out and the template can.
        ssh_keys: names of SSH keys of the account; the present ones stay if it is left out.
        confirm: the workload's name: you agree to lose what it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
    layout: DiskLayout | None = None
    ssh_keys: Annotated[tuple[Label, ...] | None, Field(max_length=16)] = None
    confirm: Annotated[str, Field(max_length=64)]


class RescueRequest(BaseModel):
    """Whether a machine shall run the rescue system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool
