"""What the machine API answers, as the engine uses it."""

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState


class DeploymentStatus(StrEnum):
    """Whether a deployment is under way, and how it ended."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


class _View(BaseModel):
    """A later API may say more than this version knows of."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DeploymentView(_View):
    """A deployment: what a machine is booted over the network for.

    Attributes:
        phase: None before anything has happened.
        boots: how many scripts were served.
        phase_seconds: how long each phase took.
        silent_seconds: since our initrd last spoke; None if it is not what runs.
    """

    id: UUID
    kind: DeploymentKind
    status: DeploymentStatus
    phase: DeploymentPhase | None = None
    boots: int = 0
    error_code: str | None = None
    error_detail: str | None = None
    is_cancel_requested: bool = False
    phase_seconds: Mapping[str, float] = {}
    silent_seconds: float | None = None


class Installed(_View):
    """What the last installation wrote."""

    image: str
    content_sha256: str
    profile_digest: str


class MachineView(_View):
    """The machine that a grant is for.

    Attributes:
        workload_id: whom it is held for.
        installed: None if nothing is known to be on its disks.
        profile_digest: of what the next installation writes; None if there is no such.
        deployment: the open one.
        wiped_since_use: it is proven empty.
    """

    machine_id: UUID
    name: str
    state: MachineState
    serial: str
    boot_mac: str
    workload_id: UUID | None = None
    installed: Installed | None = None
    profile_digest: str | None = None
    deployment: DeploymentView | None = None
    wiped_since_use: bool = False
