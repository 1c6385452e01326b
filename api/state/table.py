"""Pulumi's state table, by plain SQL: never DDL, each statement a transaction of its own.

Each start of the CLI runs DDL there that waits for every open writing transaction, and all writers wait behind it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, Row, TextClause, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from api.state.errors import StateUnavailable
from api.state.keys import StateKeys, after

UNDEFINED_TABLE = "42P01"
_PAGE = 200
_ROW = text("SELECT key, data, updated_at FROM pulumi_state WHERE key = :key")
_PREFIX = text("""
    SELECT key, data, updated_at FROM pulumi_state
    WHERE key ~>~ :last AND key ~<~ :beyond ORDER BY key USING ~<~ LIMIT :page
""")
_OUTSIDE = text("""
    (SELECT key FROM pulumi_state WHERE key ~<~ :root ORDER BY key USING ~<~ LIMIT 1) UNION ALL
    (SELECT key FROM pulumi_state WHERE key ~>=~ :beyond ORDER BY key USING ~<~ LIMIT 1)
""")


class StateTable:
    """The rows of one state database; safe to share by threads. Nothing is opened before the first call.

    Args:
        database_url: the state's address.

    Raises:
        ValueError: if the address names no database.
    """

    def __init__(self, database_url: str) -> None:
        self.keys = StateKeys.of(database_url)
        self.engine = state_engine(database_url)

    def row(self, key: str) -> Row[Any] | None:
        """Return a row (``key``, ``data``, ``updated_at``), or None.

        Raises:
            StateUnavailable: if the database does not answer.
        """
        return next(iter(self.query(_ROW, {"key": key})), None)

    def below(self, prefix: str) -> Iterator[Row[Any]]:
        """Yield all rows whose keys start with ``prefix``, page by page, in the order of bytes.

        Raises:
            StateUnavailable: if the database does not answer.
        """
        last = prefix
        while True:
            page = self.query(_PREFIX, {"last": last, "beyond": after(prefix), "page": _PAGE})
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1].key

    def strangers(self) -> list[str]:
        """Return up to two keys that do not belong to a database of this name."""
        rows = self.query(_OUTSIDE, {"root": self.keys.root, "beyond": after(self.keys.root)})
        return [row.key for row in rows]

    def query(self, statement: TextClause, parameters: Mapping[str, Any]) -> list[Row[Any]]:
        """Run one statement; a table that the CLI has not made yet is an empty one.

        Raises:
            StateUnavailable: if the database does not answer.
        """
        try:
            with self.engine.connect() as connection:
                return list(connection.execute(statement, parameters).all())
        except OperationalError as error:
            raise StateUnavailable(f"the state database does not answer ({type(error.orig).__name__})") from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE:
                return []
            raise

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def state_engine(database_url: str, *, lock_milliseconds: int = 3000) -> Engine:
    """Open a small pool of connections, lazily, on which each statement is a transaction of its own.

    A statement that waits longer than ``lock_milliseconds`` for a lock, or runs for longer than ten seconds, is given
    up: whatever it was for can be done again, and an engine that waits behind it has a customer waiting.
    """
    return create_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_size=2,
        max_overflow=8,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "options": f"-c timezone=utc -c lock_timeout={lock_milliseconds} -c statement_timeout=10s",
            "connect_timeout": 5,
        },
    )
