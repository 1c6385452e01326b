"""The workload: what a customer has, what is wanted, and how far that is."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum
from components.specs import WorkloadKind


class WorkloadStatus(StrEnum):
    """A workload's life; see ``api.workloads.transitions`` for the legal moves."""

    PENDING_PAYMENT = "pending_payment"
    QUEUED = "queued"
    PROVISIONING = "provisioning"
    RUNNING = "running"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    UPDATING = "updating"
    NEEDS_ATTENTION = "needs_attention"
    CANCELLING = "cancelling"
    DELETED = "deleted"


class Workload(Base, Timestamped):
    """One thing that one order bought, and its Pulumi stack.

    ``desired`` is a ``WorkloadSpec`` document; each change of it raises ``generation``. ``desired_absent`` means
    the whole stack shall go; ``desired_cause`` is who wants that and why (``api.operations.cause.Cause``). An operation
    applies one generation. ``has_stack`` is set before an engine first starts:
    while it is False, nothing of the workload exists outside our tables. It is on a node, or has a
    machine of its own.
    """

    __tablename__ = "workloads"
    __table_args__ = (
        Index(
            "uq_workloads_owner_name",
            "owner_id",
            "name",
            unique=True,
            postgresql_where=text("status <> 'deleted'"),
        ),
        CheckConstraint("num_nonnulls(node_id, machine_id) = 1", name="on_a_node_or_a_machine"),
        Index("ix_workloads_owner_page", "owner_id", "id"),
    )

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), unique=True)
    kind: Mapped[WorkloadKind] = mapped_column(text_enum(WorkloadKind))
    name: Mapped[str]
    status: Mapped[WorkloadStatus] = mapped_column(text_enum(WorkloadStatus), index=True)
    node_id: Mapped[UUID | None] = mapped_column(ForeignKey("nodes.id"), index=True)
    machine_id: Mapped[UUID | None] = mapped_column(ForeignKey("machines.id"), index=True)
    vmid: Mapped[int] = mapped_column(BigInteger, unique=True)
    desired: Mapped[dict[str, Any]]
    desired_absent: Mapped[bool] = mapped_column(default=False)
    desired_cause: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"), default=dict)
    generation: Mapped[int] = mapped_column(BigInteger, default=1)
    applied_generation: Mapped[int] = mapped_column(BigInteger, default=0)
    stack: Mapped[str] = mapped_column(unique=True)
    passphrase_encrypted: Mapped[bytes]
    has_stack: Mapped[bool] = mapped_column(default=False)
    outputs: Mapped[dict[str, Any] | None]
    attention: Mapped[str | None]
    deleted_at: Mapped[datetime | None]

    @property
    def guest_node_id(self) -> UUID:
        """The node that it is a guest of.

        Raises:
            ValueError: if it is a machine of its own.
        """
        if self.node_id is None:
            raise ValueError(f"workload '{self.name}' is no guest of a node")
        return self.node_id


class StatusChange(Base, Timestamped):
    """A line of a workload's history, readable by its owner."""

    __tablename__ = "status_changes"

    id: Mapped[Id]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"), index=True)
    from_status: Mapped[WorkloadStatus | None] = mapped_column(text_enum(WorkloadStatus, "from_status"))
    to_status: Mapped[WorkloadStatus] = mapped_column(text_enum(WorkloadStatus, "to_status"))
    reason: Mapped[str]
