"""Plans, their approvals, and who asked for an operation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _versions()
    _plans()
    _approvals()
    _steps()
    _operations()


def _versions() -> None:
    """What the newest worker runs."""
    op.create_table(
        "engine_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("versions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_versions")),
    )


def _plans() -> None:
    """Plans."""
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("workload_id", sa.Uuid(), nullable=False),
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
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("start_digest", sa.Text(), nullable=True),
        sa.Column("versions", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("price_before_cents", sa.Integer(), nullable=False),
        sa.Column("price_after_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approval_reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("continues_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["continues_id"], ["plans.id"], name=op.f("fk_plans_continues_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.id"], name=op.f("fk_plans_operation_id")),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], name=op.f("fk_plans_workload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index(
        "ix_plans_expiry",
        "plans",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('current', 'approved')"),
    )
    op.create_index("ix_plans_operation", "plans", ["operation_id", "id"], unique=False)
    op.create_index(op.f("ix_plans_workload_id"), "plans", ["workload_id"], unique=False)
    op.create_index(
        "uq_plans_live",
        "plans",
        ["operation_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('current', 'approved')"),
    )


def _approvals() -> None:
    """People's words on them."""
    op.create_table(
        "approvals",
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
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_approvals_plan_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approvals_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("plan_id", "user_id", name=op.f("uq_approvals_plan_id_user_id")),
    )


def _steps() -> None:
    """Their resource steps."""
    op.create_table(
        "plan_steps",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("urn", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "op",
            sa.Enum(
                "create",
                "update",
                "replace",
                "delete",
                "same",
                name="stepop",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_steps_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "position", name=op.f("pk_plan_steps")),
    )


def _operations() -> None:
    """Who asked for what, and operations that wait for a word."""
    op.add_column(
        "workloads",
        sa.Column(
            "desired_cause",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.add_column("operations", sa.Column("requested_by", sa.Uuid(), nullable=True))
    op.add_column("operations", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column("operations", sa.Column("has_consent", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("operations", sa.Column("refreshes", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("operations", sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("operations", sa.Column("cancel_requested_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_operations_requested_by"), "operations", "users", ["requested_by"], ["id"])
    op.create_foreign_key(
        op.f("fk_operations_cancel_requested_by"), "operations", "users", ["cancel_requested_by"], ["id"]
    )
    op.drop_constraint("operationstatus", "operations", type_="check")
    op.create_check_constraint(
        "operationstatus",
        "operations",
        "status IN ('queued', 'awaiting_approval', 'running', 'succeeded', 'failed', 'cancelled')",
    )
    op.drop_index("uq_operations_active", table_name="operations")
    op.create_index(
        "uq_operations_active",
        "operations",
        ["workload_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'awaiting_approval', 'running')"),
    )
