"""Alembic's entry point.

Runs migrations on a connection handed over by ``api.db.migrate``, or by the address in MIGRATION_DATABASE_URL
(DATABASE_URL where that is not set).
"""

from alembic import context
from sqlalchemy import Connection

from api.db.session import connect
from api.db.tables import metadata
from api.settings import MigrationSettings


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


_given = context.config.attributes.get("connection")
if _given is not None:
    _migrate(_given)
else:
    _database = connect(MigrationSettings().database_url.get_secret_value())
    with _database.engine.connect() as _connection:
        _migrate(_connection)
    _database.close()
