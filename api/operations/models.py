"""Operations: one engine run (with its retries) that brings a workload to one generation of its desired state."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum


class OperationKind(StrEnum):
    """What an operation does."""

    APPLY = "apply"
    DESTROY = "destroy"
    REBOOT = "reboot"


class OperationStatus(StrEnum):
    """How far an operation is. The first three are active: a workload has at most one such operation."""

    QUEUED = "queued"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (OperationStatus.QUEUED, OperationStatus.AWAITING_APPROVAL, OperationStatus.RUNNING)


class Operation(Base, Timestamped):
    """An engine run with its lease.

    A worker owns the operation while ``lease_until`` is ahead; ``fence`` grows with each take-over, and every write
    of a worker carries the fence it was given. ``engine`` identifies the child process that may still be alive, or has
    left a lock or interrupted steps behind; it is the runner's own document, and None once the stack is known tidy.

    ``requested_by`` is the person who asked, None for the system itself; ``reason`` is why, in a sentence.
    ``has_consent`` says that the workload's owner agreed to lose what it holds. ``refreshes`` makes the engine look at
    what is really there before it decides what to change. ``cancel_requested_by`` is set with
    ``cancel_requested_at`` unless the system asked.
    """

    __tablename__ = "operations"
    __table_args__ = (
        Index(
            "uq_operations_active",
            "workload_id",
            unique=True,
            postgresql_where=text("status IN ('queued', 'awaiting_approval', 'running')"),
        ),
        Index("ix_operations_due", "next_attempt_at", postgresql_where=text("status = 'queued'")),
        Index("ix_operations_leased", "lease_until", postgresql_where=text("status = 'running'")),
        Index("ix_operations_workload_page", "workload_id", "id"),
    )

    id: Mapped[Id]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"))
    kind: Mapped[OperationKind] = mapped_column(text_enum(OperationKind))
    status: Mapped[OperationStatus] = mapped_column(text_enum(OperationStatus), default=OperationStatus.QUEUED)
    generation: Mapped[int] = mapped_column(BigInteger)
    desired: Mapped[dict[str, Any]]
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    engine: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    deadline_at: Mapped[datetime]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None]
    pulumi_processes: Mapped[int] = mapped_column(default=0)
    cpu_seconds: Mapped[float] = mapped_column(Numeric(10, 3, asdecimal=False), default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(server_default="")
    has_consent: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    refreshes: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    cancel_requested_at: Mapped[datetime | None]
    cancel_requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class LogRow:
    """The columns of a line of a log; ``id`` grows, so a reader can go on from the last one it saw."""

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    attempt: Mapped[int]
    kind: Mapped[str]
    message: Mapped[str]
    data: Mapped[dict[str, Any]]


class OperationEvent(LogRow, Base):
    """A line of an operation's log."""

    __tablename__ = "operation_events"
    __table_args__ = (Index("ix_operation_events_page", "operation_id", "id"),)

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
