"""Tables of machines, of what they are booted over the network for, and of what proves that they are clean."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Id, Timestamped, text_enum
from components.specs.machine import DeploymentKind, DeploymentPhase, MachineState

WIPED_SINCE_USE = "wiped_at IS NOT NULL AND (written_at IS NULL OR wiped_at > written_at)"
"""The wipe gate, in SQL: nothing may have been written since the last proven wipe."""


FACTS, INSPECTION, WIPE = "facts", "inspection", "wipe"
"""What a deployment's ``report`` may hold: the hardware at check-in, the report of an inspection, that of a wipe."""


class BmcDriver(StrEnum):
    """What a machine's power is controlled by."""

    REDFISH = "redfish"
    IPMI = "ipmi"
    ROBOT = "robot"
    FAKE = "fake"
    """A simulated one, for the lab."""


class PowerVerb(StrEnum):
    """What a person can have done to a machine's power."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"


class DeploymentStatus(StrEnum):
    """Whether a deployment is under way, and how it ended."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


class Machine(Base, Timestamped):
    """A dedicated machine of the pool.

    ``workload_id`` is whom it is held for, from the order until it is wiped; checked at the commit only, because a
    workload is made with its machine's id. ``written_at`` is the last moment at which anything may have been written
    to its disks, ``wiped_at`` when it was last proven empty; the difference is the wipe gate. ``profile`` is the
    ``BootProfile`` that the next installation writes, ``installed`` what the last one wrote. ``disks`` and ``nics`` are
    as the machine itself reported them. Credentials of the BMC are sealed; the next password is there while a rotation
    is under way, and either may be in force then. ``power_verb`` is what is to be done to its power besides
    operations and deployments, since ``power_asked_at``; ``power_taken_at`` is when a worker has begun with it.
    """

    __tablename__ = "machines"
    __table_args__ = (
        CheckConstraint(f"state <> 'available' OR ({WIPED_SINCE_USE})", name="available_only_when_wiped"),
        CheckConstraint("state <> 'available' OR workload_id IS NULL", name="available_is_nobodys"),
        CheckConstraint("state <> 'retired' OR workload_id IS NULL", name="retired_is_nobodys"),
        CheckConstraint(
            "state NOT IN ('reserved', 'deploying', 'active', 'rescue') OR workload_id IS NOT NULL",
            name="in_use_is_somebodys",
        ),
        Index("ix_machines_choice", "machine_class", "state"),
        Index("uq_machines_workload_id", "workload_id", unique=True, postgresql_where=text("workload_id IS NOT NULL")),
        Index("uq_machines_boot_mac", "boot_mac", unique=True),
        Index("uq_machines_serial", "serial", unique=True),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    machine_class: Mapped[str]
    state: Mapped[MachineState] = mapped_column(text_enum(MachineState), default=MachineState.ENROLL)
    state_reason: Mapped[str] = mapped_column(server_default="")
    state_at: Mapped[datetime] = mapped_column(server_default=func.now())
    serial: Mapped[str]
    boot_mac: Mapped[str]
    macs: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    cores: Mapped[int]
    memory_mib: Mapped[int]
    disk_gib: Mapped[int]
    disk_count: Mapped[int]
    facts: Mapped[dict[str, Any] | None]
    boot_address: Mapped[str | None]
    server_number: Mapped[int | None] = mapped_column(unique=True)
    rack: Mapped[str] = mapped_column(server_default="")
    switch_port: Mapped[str] = mapped_column(server_default="")
    vlan: Mapped[int | None]
    bmc_driver: Mapped[BmcDriver] = mapped_column(text_enum(BmcDriver))
    bmc_address: Mapped[str]
    bmc_system: Mapped[str] = mapped_column(server_default="")
    bmc_user: Mapped[str] = mapped_column(server_default="")
    bmc_password_encrypted: Mapped[bytes | None]
    bmc_next_password_encrypted: Mapped[bytes | None]
    bmc_verify_tls: Mapped[bool] = mapped_column(default=True)
    power_verb: Mapped[PowerVerb | None] = mapped_column(text_enum(PowerVerb))
    power_asked_at: Mapped[datetime | None]
    power_taken_at: Mapped[datetime | None]
    workload_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("workloads.id", use_alter=True, deferrable=True, initially="DEFERRED")
    )
    written_at: Mapped[datetime | None]
    wiped_at: Mapped[datetime | None]
    profile: Mapped[dict[str, Any] | None]
    installed: Mapped[dict[str, Any] | None]
    last_seen_at: Mapped[datetime | None]


class Deployment(Base, Timestamped):
    """A machine is booted over the network for something; at most one of a machine is open.

    ``key`` makes opening it repeatable: the engine's operation, or a person's request. ``token_hash`` is of the boot
    script's one-time token, ``session_encrypted`` what authorises the boot that showed it, ``callback_hash`` what the
    installed system shows. ``boots`` counts scripts served. ``profile`` is the ``BootProfile`` as it was then.
    """

    __tablename__ = "deployments"
    __table_args__ = (
        Index("uq_deployments_open", "machine_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("uq_deployments_key", "machine_id", "key", unique=True),
        Index("ix_deployments_token", "token_hash"),
        Index("ix_deployments_page", "machine_id", "id"),
    )

    id: Mapped[Id]
    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machines.id"))
    workload_id: Mapped[UUID | None] = mapped_column(ForeignKey("workloads.id"))
    operation_id: Mapped[UUID | None] = mapped_column(ForeignKey("operations.id"))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[DeploymentKind] = mapped_column(text_enum(DeploymentKind))
    status: Mapped[DeploymentStatus] = mapped_column(text_enum(DeploymentStatus), default=DeploymentStatus.OPEN)
    key: Mapped[str]
    phase: Mapped[DeploymentPhase | None] = mapped_column(text_enum(DeploymentPhase))
    profile: Mapped[dict[str, Any] | None]
    boots: Mapped[int] = mapped_column(default=0)
    token_hash: Mapped[bytes | None]
    token_spent_at: Mapped[datetime | None]
    session_encrypted: Mapped[bytes | None]
    session_hash: Mapped[bytes | None]
    callback_hash: Mapped[bytes | None]
    report: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    deadline_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class DeploymentEvent(Base):
    """A line of a deployment's log: a phase, or something that a person should know."""

    __tablename__ = "deployment_events"
    __table_args__ = (Index("ix_deployment_events_page", "deployment_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    phase: Mapped[DeploymentPhase | None] = mapped_column(text_enum(DeploymentPhase))
    message: Mapped[str]


class ConsoleChunk(Base):
    """A piece of what a machine printed while it was booted for a deployment; bounded in number and size."""

    __tablename__ = "deployment_console"
    __table_args__ = (Index("ix_deployment_console_page", "deployment_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"))
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    text: Mapped[str]


class WipeReport(Base, Timestamped):
    """Proof that a machine's disks are empty, as its initrd signed it; ``workload_id`` is whose data is gone.

    ``signature`` is the initrd's HMAC over ``body``, the bytes as they came; ``seal`` is our own over both, so that a
    report in a backup or an export can be told from a forged one.
    """

    __tablename__ = "wipe_reports"
    __table_args__ = (Index("ix_wipe_reports_machine", "machine_id", "id"),)

    id: Mapped[Id]
    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machines.id"))
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id"), unique=True)
    workload_id: Mapped[UUID | None] = mapped_column(ForeignKey("workloads.id"))
    body: Mapped[bytes]
    signature: Mapped[str]
    seal: Mapped[str]
    disks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class MachineGrant(Base, Timestamped):
    """What one operation's engine may do with one machine; void with the operation's lease of that fence."""

    __tablename__ = "machine_grants"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machines.id"))
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id"))
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operations.id"))
    fence: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]
