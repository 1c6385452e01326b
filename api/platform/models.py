"""Tables of platform runs: what was asked of a stack of ours, its plans, what people said, and the log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.db.base import Base, Id, Timestamped, text_enum
from api.operations.models import LogRow
from api.plans.models import PlanStatus, Verdict


class RunAction(StrEnum):
    """What a run does with its stack."""

    PREVIEW = "preview"
    """Looks at what ``up`` would do."""
    REFRESH = "refresh"
    """Looks for drift: what the world has changed behind the state's back."""
    UP = "up"
    """Previews, waits for an approval, and applies."""
    DESTROY = "destroy"
    """Previews, waits for an approval, and removes everything."""

    @property
    def only_looks(self) -> bool:
        """Whether it changes nothing."""
        return self in {RunAction.PREVIEW, RunAction.REFRESH}


class RunStatus(StrEnum):
    """How far a run is. The first three are active: a stack has at most one such run."""

    QUEUED = "queued"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


ACTIVE_RUNS = (RunStatus.QUEUED, RunStatus.AWAITING_APPROVAL, RunStatus.RUNNING)
_IS_ACTIVE = text("status IN ('queued', 'awaiting_approval', 'running')")


class PlatformRun(Base, Timestamped):
    """An engine run on a platform stack, with its lease; the discipline is that of operations (ADR 5).

    Attributes:
        spec: the stack's whole configuration, as this run wants it; of a destroy, the last one known.
        requested_by: who asked, and ``reason`` why.
        refreshes: the engine looks at what is really there before it decides what to change.
        waits_for: what keeps it from going on, in a sentence: somebody at a terminal holds the stack's lock.
        attention: what a person has to resolve by hand, with the commands for it; None if there is nothing.
        engine: the child process that may still be alive, or has left the stack untidy; the runner's own document.
    """

    __tablename__ = "platform_runs"
    __table_args__ = (
        Index("uq_platform_runs_active", "stack", unique=True, postgresql_where=_IS_ACTIVE),
        Index("ix_platform_runs_due", "next_attempt_at", postgresql_where=text("status = 'queued'")),
        Index("ix_platform_runs_leased", "lease_until", postgresql_where=text("status = 'running'")),
        Index("ix_platform_runs_page", "stack", "id"),
    )

    id: Mapped[Id]
    stack: Mapped[str]
    action: Mapped[RunAction] = mapped_column(text_enum(RunAction))
    status: Mapped[RunStatus] = mapped_column(text_enum(RunStatus), default=RunStatus.QUEUED)
    spec: Mapped[dict[str, Any]]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    refreshes: Mapped[bool] = mapped_column(default=False)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    engine: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    deadline_at: Mapped[datetime]
    waits_for: Mapped[str | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    attention: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None]
    pulumi_processes: Mapped[int] = mapped_column(default=0)
    cpu_seconds: Mapped[float] = mapped_column(Numeric(10, 3, asdecimal=False), default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancel_requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class PlatformRunEvent(LogRow, Base):
    """A line of a run's log."""

    __tablename__ = "platform_run_events"
    __table_args__ = (Index("ix_platform_run_events_page", "run_id", "id"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("platform_runs.id"))


class PlatformPlan(Base, Timestamped):
    """What one run would do, and everything that its approval is bound to.

    Attributes:
        hash: over steps, spec, start digest and versions; a row that was edited no longer fits it.
        start_digest: of the stack's state before the preview; None if there was no stack.
        versions: of the program, the CLI and the plugins.
        steps: as ``api.plans.document.PlanStep`` has them, secrets masked.
        approvals_needed: how many different admins; 0 for a run that only looks, or changes nothing.
        continues_id: the approved plan whose engine was cut off, of which this one is the rest.
    """

    __tablename__ = "platform_plans"
    __table_args__ = (
        Index(
            "uq_platform_plans_live",
            "run_id",
            unique=True,
            postgresql_where=text("status IN ('current', 'approved')"),
        ),
        Index("ix_platform_plans_run", "run_id", "id"),
        Index("ix_platform_plans_expiry", "expires_at", postgresql_where=text("status IN ('current', 'approved')")),
    )

    id: Mapped[Id]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("platform_runs.id"))
    status: Mapped[PlanStatus] = mapped_column(text_enum(PlanStatus), default=PlanStatus.CURRENT)
    hash: Mapped[str]
    start_digest: Mapped[str | None]
    versions: Mapped[dict[str, Any]]
    summary: Mapped[str]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    approvals_needed: Mapped[int]
    continues_id: Mapped[UUID | None] = mapped_column(ForeignKey("platform_plans.id"))
    expires_at: Mapped[datetime]
    closed_reason: Mapped[str | None]

    approvals: Mapped[list["PlatformApproval"]] = relationship(
        order_by="PlatformApproval.id", lazy="raise", viewonly=True
    )


class PlatformApproval(Base, Timestamped):
    """What one admin said about one plan; one word a person."""

    __tablename__ = "platform_approvals"
    __table_args__ = (UniqueConstraint("plan_id", "user_id"),)

    id: Mapped[Id]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("platform_plans.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[Verdict] = mapped_column(text_enum(Verdict))
    reason: Mapped[str]
    plan_hash: Mapped[str]
