"""policy: the settings of the rules, in versions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "policy_settings",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text(), none_as_null=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["users.id"], name=op.f("fk_policy_settings_set_by")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policy_settings")),
    )
    op.execute(
        """
        CREATE FUNCTION refuse_policy_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'policy_settings is append-only'; END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER policy_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_settings
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_policy_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER policy_append_only ON policy_settings")
    op.execute("DROP FUNCTION refuse_policy_change")
    op.drop_table("policy_settings")
