"""Tables of drift: what a scan found, what staff ignores, and what belongs to nobody."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum


class DriftKind(StrEnum):
    """In what way the world differs from a workload's row."""

    MISSING = "missing"
    """The guest is not on its node."""
    POWER = "power"
    """It runs and should not, or the other way round."""
    CHANGED = "changed"
    """Its configuration, or its DNS records, were changed."""
    IDENTITY = "identity"
    """A guest that does not bear our tags sits at the workload's VMID."""
    UNEXPECTED = "unexpected"
    """A second guest bears the workload's tags."""


class Severity(StrEnum):
    """How much a finding matters; ``critical`` raises an alert."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class FindingStatus(StrEnum):
    """How far a finding is. All but ``resolved`` are live: a workload has at most one live finding of a kind."""

    OPEN = "open"
    IGNORED = "ignored"
    REPAIRING = "repairing"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """What was done, or is being done, about a finding."""

    HEALED = "healed"
    """The next scan agreed, without our doing."""
    ADOPTED = "adopted"
    """What is there is what we want from now on."""
    REVERTED = "reverted"
    """What is there was brought back to what we want."""
    OBSOLETE = "obsolete"
    """The workload is wanted no more, or differently."""


class DriftFinding(Base, Timestamped):
    """One difference between a workload's row and the world.

    Attributes:
        paths: ``[{path, before, after}]``: what was wanted, and what is there.
        first_seen: and ``last_seen``: the scans that saw it; ``sightings`` is their number.
        steps: what the engine's refreshing preview says (``PlanStep`` documents); None before it has looked.
        examined_at: when the engine was last asked; ``examinations`` is how often.
        operation_id: of the repair.
    """

    __tablename__ = "drift_findings"
    __table_args__ = (
        Index(
            "uq_drift_findings_live", "workload_id", "kind", unique=True, postgresql_where=text("status <> 'resolved'")
        ),
        Index("ix_drift_findings_status", "status", "id"),
    )

    id: Mapped[Id]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"))
    kind: Mapped[DriftKind] = mapped_column(text_enum(DriftKind))
    severity: Mapped[Severity] = mapped_column(text_enum(Severity))
    paths: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    sightings: Mapped[int] = mapped_column(default=1)
    status: Mapped[FindingStatus] = mapped_column(text_enum(FindingStatus), default=FindingStatus.OPEN)
    resolution: Mapped[Resolution | None] = mapped_column(text_enum(Resolution))
    resolved_at: Mapped[datetime | None]
    operation_id: Mapped[UUID | None] = mapped_column(ForeignKey("operations.id"), index=True)
    steps: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    examined_at: Mapped[datetime | None]
    examinations: Mapped[int] = mapped_column(server_default=text("0"), default=0)


class DriftIgnore(Base, Timestamped):
    """What staff has decided to live with.

    A rule holds for what it names: a workload, a kind, the paths that fit a pattern (``resources.*``), or all of them
    together. It ends at ``until``; None means that it holds until it is taken back.
    """

    __tablename__ = "drift_ignores"
    __table_args__ = (
        CheckConstraint(
            "workload_id IS NOT NULL OR kind IS NOT NULL OR path_pattern IS NOT NULL", name="names_something"
        ),
    )

    id: Mapped[Id]
    workload_id: Mapped[UUID | None] = mapped_column(ForeignKey("workloads.id"), index=True)
    kind: Mapped[DriftKind | None] = mapped_column(text_enum(DriftKind, "ignored_kind"))
    path_pattern: Mapped[str | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    until: Mapped[datetime | None]


class OrphanKind(StrEnum):
    """Which side of a pair is missing."""

    GUEST_WITHOUT_ROW = "guest_without_row"
    ROW_WITHOUT_GUEST = "row_without_guest"
    ADDRESS_WITHOUT_GUEST = "address_without_guest"
    DNS_RECORD_WITHOUT_ROW = "dns_record_without_row"


class OrphanStatus(StrEnum):
    """How far an orphan is. Only a confirmed one may be removed."""

    SEEN = "seen"
    CONFIRMED = "confirmed"
    """Seen twice, at least an operation's lifetime apart."""
    REMOVING = "removing"
    REMOVED = "removed"
    GONE = "gone"
    """A later sweep did not see it any more."""


class OrphanSighting(Base, Timestamped):
    """Something of ours without its counterpart.

    Attributes:
        place: the node's name; the zone's name for a DNS record, the pool's for an address.
        subject: what it is there: a VMID, a record's id, an address.
        guest_kind: ``qemu`` or ``lxc``, for a guest.
        workload_id: the row, where there is one.
        requested_by: who asked for its removal, and ``reason`` why; None for the control plane itself.
        error: why the last removal did not succeed.
    """

    __tablename__ = "orphan_sightings"
    __table_args__ = (
        Index(
            "uq_orphan_sightings_live",
            "kind",
            "place",
            "subject",
            unique=True,
            postgresql_where=text("status IN ('seen', 'confirmed', 'removing')"),
        ),
        Index("ix_orphan_sightings_status", "status", "id"),
    )

    id: Mapped[Id]
    kind: Mapped[OrphanKind] = mapped_column(text_enum(OrphanKind))
    place: Mapped[str]
    subject: Mapped[str]
    vmid: Mapped[int | None] = mapped_column(BigInteger)
    guest_kind: Mapped[str | None]
    name: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    workload_id: Mapped[UUID | None] = mapped_column(ForeignKey("workloads.id"))
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    sightings: Mapped[int] = mapped_column(default=1)
    status: Mapped[OrphanStatus] = mapped_column(text_enum(OrphanStatus), default=OrphanStatus.SEEN)
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(server_default="", default="")
    error: Mapped[str | None]


class ScanRun(Base):
    """One list pass over one node; one without an end is under way, or its worker has died.

    ``node_id`` is no foreign key: checking one locks the node's row against the lease of every operation there.
    """

    __tablename__ = "scan_runs"
    __table_args__ = (
        Index("uq_scan_runs_open", "node_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_scan_runs_node", "node_id", "started_at"),
    )

    id: Mapped[Id]
    node_id: Mapped[UUID]
    started_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ended_at: Mapped[datetime | None]
    guests: Mapped[int] = mapped_column(default=0)
    suspects: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str | None]
