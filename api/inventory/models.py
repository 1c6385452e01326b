"""Sites, nodes, what a node holds, and the guests that are known to exist."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum


class NodeClass(StrEnum):
    """Which kind of workload a node is for."""

    GAME = "game"
    BOT = "bot"
    CLOUD = "cloud"


class NodeState(StrEnum):
    """Whether a node takes new guests."""

    PENDING = "pending"
    """Known, but nobody has deposited the control plane's credential for it yet: it cannot be reached."""
    ACTIVE = "active"
    DRAINING = "draining"
    """Keeps its guests and gets no new ones."""
    RETIRED = "retired"
    """Gone, or no longer ours; the row stays, for what has happened on it."""


NODES_IN_USE = (NodeState.ACTIVE, NodeState.DRAINING)
"""What can be reached and may carry guests."""


class Site(Base, Timestamped):
    """A data centre location: nodes and address pools belong to one.

    ``nameservers`` are the resolvers that its guests are given.
    """

    __tablename__ = "sites"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    nameservers: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


class Node(Base, Timestamped):
    """An independent Proxmox VE node.

    ``total_*`` is what the machine may sell: its hardware times overcommit, less the host's reserve. ``used_*`` is
    the sum of its live allocations, kept by the allocator under this row's lock.
    """

    __tablename__ = "nodes"
    __table_args__ = (
        CheckConstraint("used_cores BETWEEN 0 AND total_cores", name="cores_within_total"),
        CheckConstraint("used_memory_mib BETWEEN 0 AND total_memory_mib", name="memory_within_total"),
        CheckConstraint("used_disk_gib BETWEEN 0 AND total_disk_gib", name="disk_within_total"),
        CheckConstraint(
            "api_token_encrypted IS NOT NULL OR state IN ('pending', 'retired')", name="credential_where_in_use"
        ),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    node_class: Mapped[NodeClass] = mapped_column(text_enum(NodeClass))
    state: Mapped[NodeState] = mapped_column(text_enum(NodeState), default=NodeState.ACTIVE)
    endpoint: Mapped[str]
    api_token_encrypted: Mapped[bytes | None]
    verify_tls: Mapped[bool] = mapped_column(default=True)
    storage: Mapped[str]
    bridge: Mapped[str]
    total_cores: Mapped[int]
    total_memory_mib: Mapped[int]
    total_disk_gib: Mapped[int]
    used_cores: Mapped[int] = mapped_column(default=0)
    used_memory_mib: Mapped[int] = mapped_column(default=0)
    used_disk_gib: Mapped[int] = mapped_column(default=0)
    server_number: Mapped[int | None]

    @property
    def sealed_token(self) -> bytes:
        """The control plane's credential for it, sealed.

        Raises:
            ValueError: if none has been deposited.
        """
        if self.api_token_encrypted is None:
            raise ValueError(f"node '{self.name}' is {self.state}: no credential for it has been deposited")
        return self.api_token_encrypted


class NodeTemplate(Base):
    """Where a template version lies on a node: a VMID, or a volume id of a container template."""

    __tablename__ = "node_templates"

    node_id: Mapped[UUID] = mapped_column(ForeignKey("nodes.id"), primary_key=True)
    template_version_id: Mapped[UUID] = mapped_column(ForeignKey("template_versions.id"), primary_key=True)
    source: Mapped[str]


class Allocation(Base, Timestamped):
    """Capacity held on a node for a workload, from the order until its absence is verified."""

    __tablename__ = "allocations"
    __table_args__ = (
        Index("uq_allocations_live", "workload_id", unique=True, postgresql_where=text("released_at IS NULL")),
    )

    id: Mapped[Id]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"))
    node_id: Mapped[UUID] = mapped_column(ForeignKey("nodes.id"), index=True)
    cores: Mapped[int]
    memory_mib: Mapped[int]
    disk_gib: Mapped[int]
    released_at: Mapped[datetime | None]


class Guest(Base, Timestamped):
    """A guest seen on a node: written when an operation ends and the node itself confirms it."""

    __tablename__ = "guests"
    __table_args__ = (UniqueConstraint("workload_id"), UniqueConstraint("vmid", name="uq_guests_vmid"))

    id: Mapped[Id]
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"))
    node_id: Mapped[UUID] = mapped_column(ForeignKey("nodes.id"), index=True)
    vmid: Mapped[int] = mapped_column(BigInteger)
    is_running: Mapped[bool]
    verified_at: Mapped[datetime]
    absent_at: Mapped[datetime | None]
