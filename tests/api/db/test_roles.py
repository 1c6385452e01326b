"""What the application may do to the database, tried on a connection such as it has."""

from collections.abc import Iterator
from importlib import import_module

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy import text

from api.db.roles import APP_ROLE
from api.db.session import Database, connect
from tests.fixtures.trail import actions, append, entry
from tests.races import at_once

LOGIN, RACED = "slipway_test_login", "slipway_raced"


@pytest.fixture
def as_application(database_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Return a connection of a login of its own, which is a member of the application's role and of nothing else."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(LOGIN)))
        owner.execute(
            sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}").format(sql.Identifier(LOGIN), sql.Identifier(APP_ROLE))
        )
        with psycopg.connect(database_url, user=LOGIN, autocommit=True) as connection:
            yield connection
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(LOGIN)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_records SET reason = 'another'",
        "DELETE FROM audit_records",
        "TRUNCATE audit_records",
        "ALTER TABLE audit_records DISABLE TRIGGER audit_append_only",
        "DROP TRIGGER audit_append_only ON audit_records",
        "DROP TABLE audit_records",
        "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "SET session_replication_role = replica",
        "INSERT INTO audit_head VALUES (2, 0, '')",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "UPDATE ledger_entries SET amount_cents = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "UPDATE alembic_version SET version_num = '0001'",
        "RESET ROLE; SET ROLE postgres",
    ],
)
def test_the_application_cannot_rewrite_what_is_append_only(
    as_application: psycopg.Connection[tuple[object, ...]], database: Database, statement: str
) -> None:
    """Neither by a statement nor by getting rid of what guards it; what was recorded is still there."""
    append(database, entry())
    with pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)):
        as_application.execute(statement)
    assert actions(database) == ["test.do"]


def test_the_application_cannot_rewind_the_trails_head(
    as_application: psycopg.Connection[tuple[object, ...]], database: Database
) -> None:
    """It may move the head, and forward only: a trail that was cut short cannot be made to fit."""
    append(database, entry())
    for back in (0, 1):
        with pytest.raises(errors.RaiseException, match="only moves forward"):
            as_application.execute("UPDATE audit_head SET seq = seq - %s", [back])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_records SET reason = 'another'",
        "DELETE FROM audit_records",
        "TRUNCATE audit_records",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
    ],
)
def test_not_even_the_owner_rewrites_the_trail_by_mistake(database_url: str, statement: str) -> None:
    """Triggers refuse it, and say so; whoever disables them means it, and is found out by the hashes."""
    with psycopg.connect(database_url) as owner, pytest.raises(errors.RaiseException, match="append-only"):
        owner.execute(statement)


def test_the_application_may_do_all_that_it_needs(
    as_application: psycopg.Connection[tuple[object, ...]], database_url: str
) -> None:
    """Each table of ours, those of later migrations too, can be read and written, and each sequence be used."""
    with psycopg.connect(database_url) as owner:
        tables = [name for (name,) in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        sequences = [
            name for (name,) in owner.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
        ]
    lacking = {
        (name, right)
        for name in tables
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if not _may(as_application, "has_table_privilege", name, right)
    }
    assert lacking == {
        *((name, right) for name in ("audit_records", "ledger_entries") for right in ("UPDATE", "DELETE")),
        *(("audit_head", right) for right in ("INSERT", "DELETE")),
        *(("alembic_version", right) for right in ("INSERT", "UPDATE", "DELETE")),
    }
    assert all(_may(as_application, "has_sequence_privilege", name, "USAGE") for name in sequences)
    assert sequences != []


def test_a_login_that_owns_the_tables_acts_as_the_application(database_url: str) -> None:
    """Where one login is all there is, its sessions still have the application's rights only."""
    database = connect(database_url, role=APP_ROLE)
    try:
        with database.transaction() as transaction:
            assert transaction.session.execute(text("SELECT current_user")).scalar_one() == APP_ROLE
        append(database, entry())
        assert actions(database) == ["test.do"]
    finally:
        database.close()


def test_several_databases_of_one_server_make_the_role_at_once(database_url: str) -> None:
    """It belongs to the whole server; whoever comes second finds it."""
    statement = import_module("api.db.migrations.versions.0003_audit").MAKE_ROLE.replace(APP_ROLE, RACED)

    def make() -> bool:
        with psycopg.connect(database_url) as connection:
            connection.execute(statement)
        return True

    try:
        assert all(at_once([make] * 8))
    finally:
        with psycopg.connect(database_url) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(RACED)))


def test_a_login_that_may_not_make_the_role_is_told_what_to_do(database_url: str) -> None:
    """The migration fails with the statements that an administrator has to run first."""
    statement = import_module("api.db.migrations.versions.0003_audit").MAKE_ROLE.replace(APP_ROLE, RACED)
    with psycopg.connect(database_url) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(LOGIN)))
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(LOGIN)))
        with pytest.raises(errors.RaiseException, match="may not make the role") as raised:
            connection.execute(statement)
        assert raised.value.diag.message_hint is not None
        assert f"CREATE ROLE {RACED} NOLOGIN; GRANT {RACED} TO {LOGIN};" in raised.value.diag.message_hint
        connection.rollback()


def _may(connection: psycopg.Connection[tuple[object, ...]], function: str, name: str, right: str) -> bool:
    query = sql.SQL("SELECT {}(%s, %s)").format(sql.Identifier(function))
    return bool((connection.execute(query, [f'public."{name}"', right]).fetchone() or (False,))[0])
