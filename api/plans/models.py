"""Tables of plans and approvals."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.db.base import Base, Id, Timestamped, text_enum
from api.plans.document import StepOp


class PlanStatus(StrEnum):
    """How far a plan is. Only ``current`` and ``approved`` plans can still be applied."""

    CURRENT = "current"
    """Waits for its approvals, or needs none."""
    APPROVED = "approved"
    """All approvals that it needs were given."""
    APPLIED = "applied"
    """An engine was let loose on it."""
    REFUSED = "refused"
    """Policy forbids it."""
    REJECTED = "rejected"
    """A person said no."""
    SUPERSEDED = "superseded"
    """Something that it was bound to has moved."""
    EXPIRED = "expired"
    """Nobody decided in time."""


class Verdict(StrEnum):
    """What a person said about a plan."""

    APPROVE = "approve"
    REJECT = "reject"


class Plan(Base, Timestamped):
    """What one operation would do, and everything that its approval is bound to.

    Attributes:
        hash: over steps, generation, start digest, versions and price; a row that was edited no longer fits it.
        start_digest: of the stack's state before the preview; None if there was no stack.
        versions: of the program, the CLI and the plugins.
        policy: the rules' results, ``[{rule, severity, passed, message}]``.
        approval_reasons: why a person must agree, in sentences; empty if nobody must.
        approvals_needed: how many different people.
        continues_id: the approved plan whose engine was cut off, of which this one is the rest.
    """

    __tablename__ = "plans"
    __table_args__ = (
        Index(
            "uq_plans_live",
            "operation_id",
            unique=True,
            postgresql_where=text("status IN ('current', 'approved')"),
        ),
        Index("ix_plans_operation", "operation_id", "id"),
        Index("ix_plans_expiry", "expires_at", postgresql_where=text("status IN ('current', 'approved')")),
    )

    id: Mapped[Id]
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"), index=True)
    status: Mapped[PlanStatus] = mapped_column(text_enum(PlanStatus), default=PlanStatus.CURRENT)
    generation: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]
    start_digest: Mapped[str | None]
    versions: Mapped[dict[str, Any]]
    price_before_cents: Mapped[int]
    price_after_cents: Mapped[int]
    currency: Mapped[str]
    summary: Mapped[str]
    policy: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    approval_reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    approvals_needed: Mapped[int]
    continues_id: Mapped[UUID | None] = mapped_column(ForeignKey("plans.id"))
    expires_at: Mapped[datetime]
    closed_reason: Mapped[str | None]

    steps: Mapped[list["PlanStepRow"]] = relationship(
        order_by="PlanStepRow.position", lazy="raise", cascade="all, delete-orphan"
    )
    approvals: Mapped[list["Approval"]] = relationship(order_by="Approval.id", lazy="raise", viewonly=True)


class PlanStepRow(Base):
    """One resource step of a plan; see ``api.plans.document.PlanStep``."""

    __tablename__ = "plan_steps"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    urn: Mapped[str]
    type: Mapped[str]
    op: Mapped[StepOp] = mapped_column(text_enum(StepOp))
    name: Mapped[str]
    inputs: Mapped[dict[str, Any]]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Approval(Base, Timestamped):
    """What one person said about one plan; one word a person."""

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("plan_id", "user_id"),)

    id: Mapped[Id]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    verdict: Mapped[Verdict] = mapped_column(text_enum(Verdict))
    reason: Mapped[str]
    plan_hash: Mapped[str]


class EngineVersions(Base):
    """What the newest worker runs: one row. A plan made by another program or plugin is not applied unseen."""

    __tablename__ = "engine_versions"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    versions: Mapped[dict[str, Any]]
    seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
