"""Durations of operations, and the traces that events and operations belong to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "operation_seconds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Float(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "phase", "outcome", "bucket", name=op.f("pk_operation_seconds")),
    )
    op.add_column("stripe_events", sa.Column("traceparent", sa.Text(), nullable=True))
    op.add_column("operations", sa.Column("traceparent", sa.Text(), nullable=True))
