"""The migrations make what the models say, and nothing else."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from api.db.session import Database
from api.db.tables import metadata


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    """A column or index that only one of the two has would fail in production, or never be there."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
