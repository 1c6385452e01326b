"""Machines as staff see them; no password and no token is in any of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.machines.lifecycle import is_wiped
from api.machines.models import BmcDriver, Deployment, DeploymentStatus, Machine
from api.machines.progress import phase_seconds
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState


class MachineView(BaseModel):
    """A machine of the pool."""

    id: UUID
    name: str
    site: str
    machine_class: str
    state: MachineState
    state_reason: str
    state_at: datetime
    serial: str
    boot_mac: str
    macs: Sequence[str]
    cores: int
    memory_mib: int
    disk_gib: int = Field(description="the size of each disk")
    disk_count: int
    boot_address: str | None
    server_number: int | None
    rack: str
    switch_port: str
    vlan: int | None
    bmc_driver: BmcDriver
    bmc_address: str
    bmc_system: str
    bmc_user: str
    bmc_verify_tls: bool
    has_credential: bool
    workload_id: UUID | None
    wiped_at: datetime | None
    is_wiped: bool = Field(description="nothing can have been written since the last proven wipe")
    installed: Mapping[str, Any] | None
    last_seen_at: datetime | None

    @classmethod
    def of(cls, machine: Machine, site: str) -> Self:
        """Show a machine at a site."""
        names = cls.model_fields.keys() - {"site", "has_credential", "is_wiped"}
        return cls(
            site=site,
            has_credential=machine.bmc_password_encrypted is not None,
            is_wiped=is_wiped(machine),
            **{name: getattr(machine, name) for name in names},
        )


class StaffDeploymentView(BaseModel):
    """What a machine is or was booted over the network for."""

    id: UUID
    kind: DeploymentKind
    status: DeploymentStatus
    phase: DeploymentPhase | None
    boots: int = Field(description="boot scripts that were served")
    workload_id: UUID | None
    operation_id: UUID | None
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    deadline_at: datetime
    finished_at: datetime | None
    phase_seconds: Mapping[str, float]

    @classmethod
    def of(cls, session: Session, deployment: Deployment) -> Self:
        """Show a deployment."""
        names = cls.model_fields.keys() - {"phase_seconds"}
        facts = {name: getattr(deployment, name) for name in names}
        return cls(**facts, phase_seconds=phase_seconds(session, deployment))


class MachineDetail(MachineView):
    """A machine with what it reported of itself, what is to be installed, and its newest deployment."""

    facts: Mapping[str, Any] | None
    profile: Mapping[str, Any] | None
    deployment: StaffDeploymentView | None


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class DeploymentLine(_Row):
    """A line of a deployment's log."""

    id: int
    at: datetime
    phase: DeploymentPhase | None
    message: str


class ConsolePiece(_Row):
    """A piece of what a machine printed; as it came, control characters and all."""

    id: int
    at: datetime
    text: str


class WipeReportView(_Row):
    """A proof that a machine's disks were empty."""

    id: UUID
    deployment_id: UUID
    workload_id: UUID | None = Field(description="whose data is gone")
    created_at: datetime
    signature: str
    seal: str
    disks: Sequence[Mapping[str, Any]]
