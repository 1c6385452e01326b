"""The audit trail, and the role that the application acts as."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from api.audit.chain import genesis

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A role belongs to the whole cluster: another database's migration may make it, even at this moment. Who owns the
# tables may act as it too, where one login is all there is.
MAKE_ROLE = """
    DO $$
    DECLARE
        may text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'slipway_app') THEN
            BEGIN
                CREATE ROLE slipway_app NOLOGIN;
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'the login "%" may not make the role slipway_app', current_user
                    USING HINT = format('As an administrator: CREATE ROLE slipway_app NOLOGIN; '
                                        'GRANT slipway_app TO %I;', current_user);
            END;
        END IF;
        IF NOT pg_has_role(current_user, 'slipway_app', may) THEN
            BEGIN
                GRANT slipway_app TO CURRENT_USER;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE WARNING 'the login "%" cannot act as slipway_app, the application must', current_user;
            END;
        END IF;
    END $$
"""
_RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO slipway_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO slipway_app",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO slipway_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO slipway_app",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO slipway_app",
    "REVOKE UPDATE, DELETE ON audit_records, ledger_entries FROM slipway_app",
    "REVOKE INSERT, DELETE ON audit_head FROM slipway_app",
    "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM slipway_app",
)
# Row rights do not bind the owner; these do, and say what is wrong.
_GUARDS = (
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    """
    CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
    """
    CREATE FUNCTION refuse_audit_rewind() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit_head only moves forward'; END $$
    """,
    """
    CREATE TRIGGER audit_head_moves_forward BEFORE UPDATE ON audit_head
    FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.seq <= OLD.seq) EXECUTE FUNCTION refuse_audit_rewind()
    """,
)


def upgrade() -> None:
    _tables()
    _begin()
    for statement in (*_GUARDS, MAKE_ROLE, *_RIGHTS):
        op.execute(statement)


def _tables() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_records",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "actor_kind",
            sa.Enum("person", "system", name="actorkind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("diff", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("cost_before_cents", sa.Integer(), nullable=True),
        sa.Column("cost_after_cents", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_records")),
    )
    op.create_index("ix_audit_records_subject", "audit_records", ["subject_type", "subject_id", "seq"], unique=False)
    op.create_index(
        "ix_audit_records_actor",
        "audit_records",
        ["actor_id", "seq"],
        unique=False,
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )
    op.create_index("ix_audit_records_at", "audit_records", ["at"], unique=False)


def _begin() -> None:
    """Write the first record: its hash is unlike any other system's, for it holds the moment."""
    connection = op.get_bind()
    now = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    first = genesis(now)
    connection.execute(sa.text(_insert("audit_records", first)), first)
    head = {"id": 1, "seq": first["seq"], "hash": first["hash"]}
    connection.execute(sa.text(_insert("audit_head", head)), head)


def _insert(table: str, row: dict[str, object]) -> str:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - our own names
