"""Platform runs: what is done with the provider's own stacks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the tables of runs, their plans, logs and approvals."""
    _runs()
    _indexes_of_runs()
    _plans()
    _run_events()
    _approvals()


def _runs() -> None:
    op.create_table(
        "platform_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stack", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "preview",
                "refresh",
                "up",
                "destroy",
                name="runaction",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "awaiting_approval",
                "running",
                "succeeded",
                "failed",
                "rejected",
                "expired",
                "cancelled",
                name="runstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("spec", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refreshes", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("engine", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("attention", sa.Text(), nullable=True),
        sa.Column("changes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("pulumi_processes", sa.Integer(), nullable=False),
        sa.Column("cpu_seconds", sa.Numeric(precision=10, scale=3, asdecimal=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["cancel_requested_by"], ["users.id"], name=op.f("fk_platform_runs_cancel_requested_by")
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_platform_runs_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_runs")),
    )


def _indexes_of_runs() -> None:
    op.create_index(
        "ix_platform_runs_due",
        "platform_runs",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_platform_runs_leased",
        "platform_runs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_platform_runs_page", "platform_runs", ["stack", "id"], unique=False)
    op.create_index(
        "uq_platform_runs_active",
        "platform_runs",
        ["stack"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'awaiting_approval', 'running')"),
    )


def _plans() -> None:
    op.create_table(
        "platform_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "current",
                "approved",
                "applied",
                "refused",
                "rejected",
                "superseded",
                "expired",
                name="planstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("start_digest", sa.Text(), nullable=True),
        sa.Column("versions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("continues_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["continues_id"], ["platform_plans.id"], name=op.f("fk_platform_plans_continues_id")),
        sa.ForeignKeyConstraint(["run_id"], ["platform_runs.id"], name=op.f("fk_platform_plans_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_plans")),
    )
    op.create_index(
        "ix_platform_plans_expiry",
        "platform_plans",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('current', 'approved')"),
    )
    op.create_index("ix_platform_plans_run", "platform_plans", ["run_id", "id"], unique=False)
    op.create_index(
        "uq_platform_plans_live",
        "platform_plans",
        ["run_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('current', 'approved')"),
    )


def _run_events() -> None:
    op.create_table(
        "platform_run_events",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["platform_runs.id"], name=op.f("fk_platform_run_events_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_run_events")),
    )
    op.create_index("ix_platform_run_events_page", "platform_run_events", ["run_id", "id"], unique=False)


def _approvals() -> None:
    op.create_table(
        "platform_approvals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("approve", "reject", name="verdict", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["platform_plans.id"], name=op.f("fk_platform_approvals_plan_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_platform_approvals_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_approvals")),
        sa.UniqueConstraint("plan_id", "user_id", name=op.f("uq_platform_approvals_plan_id_user_id")),
    )
