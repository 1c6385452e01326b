"""Drift findings, ignore rules, orphans and the scans that found them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _scan_runs()
    _drift_ignores()
    _orphan_sightings()
    _drift_findings()


def _scan_runs() -> None:
    op.create_table(
        "scan_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("guests", sa.Integer(), nullable=False),
        sa.Column("suspects", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_runs")),
    )
    op.create_index("ix_scan_runs_node", "scan_runs", ["node_id", "started_at"], unique=False)
    op.create_index(
        "uq_scan_runs_open", "scan_runs", ["node_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def _drift_ignores() -> None:
    op.create_table(
        "drift_ignores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "missing",
                "power",
                "changed",
                "identity",
                "unexpected",
                name="ignored_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("path_pattern", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "workload_id IS NOT NULL OR kind IS NOT NULL OR path_pattern IS NOT NULL",
            name=op.f("ck_drift_ignores_names_something"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_drift_ignores_created_by")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_drift_ignores_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_ignores")),
    )
    op.create_index(op.f("ix_drift_ignores_workload_id"), "drift_ignores", ["workload_id"], unique=False)


def _orphan_sightings() -> None:
    op.create_table(
        "orphan_sightings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "guest_without_row",
                "row_without_guest",
                "address_without_guest",
                "dns_record_without_row",
                name="orphankind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("vmid", sa.BigInteger(), nullable=True),
        sa.Column("guest_kind", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "seen",
                "confirmed",
                "removing",
                "removed",
                "gone",
                name="orphanstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_orphan_sightings_requested_by")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_orphan_sightings_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orphan_sightings")),
    )
    op.create_index("ix_orphan_sightings_status", "orphan_sightings", ["status", "id"], unique=False)
    op.create_index(
        "uq_orphan_sightings_live",
        "orphan_sightings",
        ["kind", "place", "subject"],
        unique=True,
        postgresql_where=sa.text("status IN ('seen', 'confirmed', 'removing')"),
    )


def _drift_findings() -> None:
    op.create_table(
        "drift_findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing",
                "power",
                "changed",
                "identity",
                "unexpected",
                name="driftkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum(
                "info", "warning", "critical", name="severity", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("paths", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "ignored",
                "repairing",
                "resolved",
                name="findingstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "resolution",
            sa.Enum(
                "healed",
                "adopted",
                "reverted",
                "obsolete",
                name="resolution",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("steps", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("examined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("examinations", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_drift_findings_operation_id")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_drift_findings_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_findings")),
    )
    op.create_index(op.f("ix_drift_findings_operation_id"), "drift_findings", ["operation_id"], unique=False)
    op.create_index("ix_drift_findings_status", "drift_findings", ["status", "id"], unique=False)
    op.create_index(
        "uq_drift_findings_live",
        "drift_findings",
        ["workload_id", "kind"],
        unique=True,
        postgresql_where=sa.text("status <> 'resolved'"),
    )
