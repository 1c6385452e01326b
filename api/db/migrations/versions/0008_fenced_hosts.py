"""fenced hosts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the table of hosts that were declared dead."""
    op.create_table(
        "fenced_hosts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fenced_hosts")),
    )
    op.create_index(
        "uq_fenced_hosts_boot",
        "fenced_hosts",
        ["host", "boot_id"],
        unique=True,
        postgresql_where=sa.text("boot_id IS NOT NULL"),
    )
