"""Findings and orphans as staff sees them."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.drift.models import (
    DriftFinding,
    DriftIgnore,
    DriftKind,
    FindingStatus,
    OrphanKind,
    OrphanSighting,
    OrphanStatus,
    Resolution,
    Severity,
)
from api.drift.orphans import orphan_of
from api.drift.removal import describe_removal, removal_refusal
from api.operations.schemas import OperationView

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class FindingView(BaseModel):
    """A difference between a workload's row and the world; ``before`` is what we want, ``after`` what is there."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    workload_id: UUID
    kind: DriftKind
    severity: Severity
    status: FindingStatus
    paths: list[dict[str, Any]]
    first_seen: datetime
    last_seen: datetime
    sightings: int
    resolution: Resolution | None
    resolved_at: datetime | None
    operation_id: UUID | None
    examined_at: datetime | None

    @classmethod
    def of(cls, finding: DriftFinding) -> Self:
        """Show a finding."""
        return cls.model_validate(finding)


class FindingDetail(FindingView):
    """A finding with what the engine's refreshing preview said; None before it has looked."""

    steps: list[dict[str, Any]] | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AdoptRequest(_Strict):
    """Want what is there, and why."""

    reason: Reason


class RevertRequest(_Strict):
    """Bring back what we want, and why. ``accepts_data_loss`` must be said if the guest is gone."""

    reason: Reason
    accepts_data_loss: bool = False


class IgnoreRequest(_Strict):
    """Live with it, and why; until a moment, or for good; all of it, or the paths that fit a pattern."""

    reason: Reason
    until: AwareDatetime | None = None
    path_pattern: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class ScanRequest(_Strict):
    """Look at one node now, by its name, or at all of them."""

    node: Annotated[str, Field(min_length=1, max_length=63)] | None = None


class RepairView(BaseModel):
    """What was decided. The operation is previewed first, and may wait for an approval."""

    finding: FindingView
    operation: OperationView | None
    note: str


class IgnoreView(BaseModel):
    """A rule that was made."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    workload_id: UUID | None
    kind: DriftKind | None
    path_pattern: str | None
    reason: str
    until: datetime | None

    @classmethod
    def of(cls, rule: DriftIgnore) -> Self:
        """Show a rule."""
        return cls.model_validate(rule)


class ScanView(BaseModel):
    """The nodes that will be looked at now."""

    nodes: list[str]


class OrphanView(BaseModel):
    """Something of ours without its counterpart; ``removes`` is what a removal deletes, ``refusal`` why it may not."""

    id: UUID
    kind: OrphanKind
    place: str
    subject: str
    vmid: int | None
    name: str
    tags: list[str]
    workload_id: UUID | None
    first_seen: datetime
    last_seen: datetime
    sightings: int
    status: OrphanStatus
    error: str | None
    removes: str
    refusal: str | None

    @classmethod
    def of(cls, sighting: OrphanSighting) -> Self:
        """Show an orphan."""
        orphan = orphan_of(sighting)
        return cls(
            id=sighting.id,
            kind=sighting.kind,
            place=sighting.place,
            subject=sighting.subject,
            vmid=sighting.vmid,
            name=sighting.name,
            tags=list(sighting.tags),
            workload_id=sighting.workload_id,
            first_seen=sighting.first_seen,
            last_seen=sighting.last_seen,
            sightings=sighting.sightings,
            status=sighting.status,
            error=sighting.error,
            removes=describe_removal(orphan),
            refusal=removal_refusal(orphan, sighting.status),
        )


class RemoveRequest(_Strict):
    """Remove an orphan, and why. Without ``confirm`` nothing is done: the answer says what would be deleted."""

    reason: Reason = "removed by staff"
    confirm: bool = False


class RemovalView(BaseModel):
    """What was decided about an orphan, or would be; ``is_dry_run`` if nothing was done."""

    orphan: OrphanView
    is_dry_run: bool
