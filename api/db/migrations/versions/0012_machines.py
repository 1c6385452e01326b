"""Machines of the pool: their lives, deployments to them, and the proofs that they were wiped."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = ("cloud_vm", "game_server", "bot", "bare_metal")


def upgrade() -> None:
    """Make the tables, and let a workload have a machine in place of a node."""
    _machines()
    _deployments()
    _logs()
    _proofs()
    _workloads()
    _kinds()


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _machines() -> None:
    op.create_table(
        "machines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("machine_class", sa.Text(), nullable=False),
        sa.Column(
            "state",
            _one_of(
                "machinestate",
                "enroll",
                "inspect",
                "clean",
                "available",
                "reserved",
                "deploying",
                "active",
                "rescue",
                "cleaning",
                "quarantine",
            ),
            nullable=False,
        ),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *_hardware(),
        *_bmc(),
        sa.Column("workload_id", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("profile", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("installed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state <> 'available' OR (wiped_at IS NOT NULL AND (written_at IS NULL OR wiped_at > written_at))",
            name=op.f("ck_machines_available_only_when_wiped"),
        ),
        sa.CheckConstraint(
            "state <> 'available' OR workload_id IS NULL", name=op.f("ck_machines_available_is_nobodys")
        ),
        sa.CheckConstraint(
            "state NOT IN ('reserved', 'deploying', 'active', 'rescue') OR workload_id IS NOT NULL",
            name=op.f("ck_machines_in_use_is_somebodys"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_machines_site_id")),
        sa.ForeignKeyConstraint(
            ["workload_id"],
            ["workloads.id"],
            name=op.f("fk_machines_workload_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machines")),
        sa.UniqueConstraint("name", name=op.f("uq_machines_name")),
        sa.UniqueConstraint("server_number", name=op.f("uq_machines_server_number")),
    )
    op.create_index("ix_machines_choice", "machines", ["machine_class", "state"], unique=False)
    op.create_index("uq_machines_boot_mac", "machines", ["boot_mac"], unique=True)
    op.create_index("uq_machines_serial", "machines", ["serial"], unique=True)
    op.create_index(
        "uq_machines_workload_id",
        "machines",
        ["workload_id"],
        unique=True,
        postgresql_where=sa.text("workload_id IS NOT NULL"),
    )


def _hardware() -> list[sa.Column[Any]]:
    """What a machine is made of and where it stands."""
    return [
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("boot_mac", sa.Text(), nullable=False),
        sa.Column("macs", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("cores", sa.Integer(), nullable=False),
        sa.Column("memory_mib", sa.Integer(), nullable=False),
        sa.Column("disk_gib", sa.Integer(), nullable=False),
        sa.Column("disk_count", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("boot_address", sa.Text(), nullable=True),
        sa.Column("server_number", sa.Integer(), nullable=True),
        sa.Column("rack", sa.Text(), server_default="", nullable=False),
        sa.Column("switch_port", sa.Text(), server_default="", nullable=False),
        sa.Column("vlan", sa.Integer(), nullable=True),
    ]


def _bmc() -> list[sa.Column[Any]]:
    """How its power is controlled."""
    return [
        sa.Column(
            "bmc_driver",
            _one_of("bmcdriver", "redfish", "ipmi", "robot", "fake"),
            nullable=False,
        ),
        sa.Column("bmc_address", sa.Text(), nullable=False),
        sa.Column("bmc_system", sa.Text(), server_default="", nullable=False),
        sa.Column("bmc_user", sa.Text(), server_default="", nullable=False),
        sa.Column("bmc_password_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("bmc_verify_tls", sa.Boolean(), nullable=False),
    ]


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            _one_of("deploymentkind", "inspect", "install", "wipe", "rescue"),
            nullable=False,
        ),
        sa.Column(
            "status",
            _one_of("deploymentstatus", "open", "succeeded", "failed", "aborted"),
            nullable=False,
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "phase",
            _one_of(
                "deploymentphase",
                "power",
                "script",
                "inspect",
                "write",
                "verify",
                "configure",
                "reboot",
                "first_boot",
                "done",
            ),
            nullable=True,
        ),
        sa.Column("profile", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("boots", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("token_spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("session_hash", sa.LargeBinary(), nullable=True),
        sa.Column("callback_hash", sa.LargeBinary(), nullable=True),
        sa.Column("report", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_deployments_machine_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_deployments_operation_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_deployments_requested_by")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_deployments_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index("ix_deployments_page", "deployments", ["machine_id", "id"], unique=False)
    op.create_index("ix_deployments_token", "deployments", ["token_hash"], unique=False)
    op.create_index("uq_deployments_key", "deployments", ["machine_id", "key"], unique=True)
    op.create_index(
        "uq_deployments_open", "deployments", ["machine_id"], unique=True, postgresql_where=sa.text("status = 'open'")
    )


def _logs() -> None:
    op.create_table(
        "deployment_console",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("fk_deployment_console_deployment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment_console")),
    )
    op.create_index("ix_deployment_console_page", "deployment_console", ["deployment_id", "id"], unique=False)
    op.create_table(
        "deployment_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "phase",
            _one_of(
                "deploymentphase",
                "power",
                "script",
                "inspect",
                "write",
                "verify",
                "configure",
                "reboot",
                "first_boot",
                "done",
            ),
            nullable=True,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_deployment_events_deployment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment_events")),
    )
    op.create_index("ix_deployment_events_page", "deployment_events", ["deployment_id", "id"], unique=False)


def _proofs() -> None:
    op.create_table(
        "machine_grants",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_machine_grants_machine_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_machine_grants_operation_id")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_machine_grants_workload_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_machine_grants")),
    )
    op.create_table(
        "wipe_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine_id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("disks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_wipe_reports_deployment_id")),
        sa.ForeignKeyConstraint(["machine_id"], ["machines.id"], name=op.f("fk_wipe_reports_machine_id")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_wipe_reports_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wipe_reports")),
        sa.UniqueConstraint("deployment_id", name=op.f("uq_wipe_reports_deployment_id")),
    )
    op.create_index("ix_wipe_reports_machine", "wipe_reports", ["machine_id", "id"], unique=False)


def _workloads() -> None:
    op.add_column("workloads", sa.Column("machine_id", sa.Uuid(), nullable=True))
    op.alter_column("workloads", "node_id", existing_type=sa.UUID(), nullable=True)
    op.create_index(op.f("ix_workloads_machine_id"), "workloads", ["machine_id"], unique=False)
    op.create_foreign_key(op.f("fk_workloads_machine_id"), "workloads", "machines", ["machine_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_workloads_on_a_node_or_a_machine"), "workloads", "num_nonnulls(node_id, machine_id) = 1"
    )


def _kinds() -> None:
    """A machine is a kind of workload."""
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    for table in ("products", "templates", "workloads"):
        name = f"ck_{table}_workloadkind"
        op.drop_constraint(op.f(name), table)
        op.create_check_constraint(op.f(name), table, f"kind IN ({kinds})")
