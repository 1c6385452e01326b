"""What an engine's child and the API say to each other about one machine."""

from collections.abc import Mapping
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from api.machines.deployments import Deployments
from api.machines.grants import Grant
from api.machines.lifecycle import is_wiped
from api.machines.models import Deployment, DeploymentStatus, Machine
from api.machines.profiles import profile_digest
from api.machines.progress import phase_seconds, silent_seconds
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState, Serial

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Detail = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClaimIn(_Body):
    """The machine that a stack's resource believes to be its own."""

    machine_id: UUID
    serial: Serial


class DeploymentIn(_Body):
    """What the machine is to be booted for."""

    kind: DeploymentKind
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] = Field(
        description="the same key is the same deployment, however that ended: another try needs another one"
    )


class PhaseIn(_Body):
    """How far the control plane is with a deployment."""

    phase: DeploymentPhase
    detail: Detail = ""


class FailureIn(_Body):
    """Why a deployment is given up."""

    code: Code
    detail: Detail = ""


class ProfileView(BaseModel):
    """What the next installation is known by."""

    profile_digest: str


class DeploymentView(BaseModel):
    """A deployment, as the engine's child follows it."""

    id: UUID
    kind: DeploymentKind
    status: DeploymentStatus
    phase: DeploymentPhase | None
    boots: int
    error_code: str | None
    error_detail: str | None
    is_cancel_requested: bool
    phase_seconds: Mapping[str, float]
    silent_seconds: float | None = Field(description="since our initrd last spoke; null if it is not what runs")

    @classmethod
    def of(cls, session: Session, deployment: Deployment, grant: Grant) -> Self:
        """Show a deployment to whoever holds a grant."""
        return cls(
            id=deployment.id,
            kind=deployment.kind,
            status=deployment.status,
            phase=deployment.phase,
            boots=deployment.boots,
            error_code=deployment.error_code,
            error_detail=deployment.error_detail,
            is_cancel_requested=grant.is_cancel_requested,
            phase_seconds=phase_seconds(session, deployment),
            silent_seconds=silent_seconds(session, deployment),
        )


class GrantedMachineView(BaseModel):
    """The machine of a grant, as it is now."""

    machine_id: UUID
    name: str
    state: MachineState
    serial: str
    boot_mac: str
    workload_id: UUID | None
    installed: Mapping[str, Any] | None = Field(description="`image`, `content_sha256`, `profile_digest`, `at`")
    profile_digest: str | None
    deployment: DeploymentView | None = Field(description="the one that is open")
    wiped_since_use: bool

    @classmethod
    def of(cls, session: Session, machine: Machine, grant: Grant) -> Self:
        """Show a machine to whoever holds a grant for it."""
        deployment = Deployments(session).look(machine.id)
        return cls(
            machine_id=machine.id,
            name=machine.name,
            state=machine.state,
            serial=machine.serial,
            boot_mac=machine.boot_mac,
            workload_id=machine.workload_id,
            installed=machine.installed,
            profile_digest=profile_digest(machine.profile),
            deployment=None if deployment is None else DeploymentView.of(session, deployment, grant),
            wiped_since_use=is_wiped(machine),
        )
