"""Reads the engine's state where the engine keeps it, without the engine: a ``pulumi`` process costs 200 times that.

Plain SQL on a table that is not ours: one statement, by primary key, never DDL, and no transaction stays open, for each
start of the CLI runs DDL there that would wait for it.
"""

from typing import Any, Protocol

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from api.state.checkpoint import meaning, read_checkpoint
from api.state.errors import StateCorrupt, StateUnavailable
from api.state.keys import StateKeys

__all__ = ["StackStates", "StateCorrupt", "StateStore", "StateUnavailable", "state_engine"]

_UNDEFINED_TABLE = "42P01"
_CHECKPOINT = text("SELECT data FROM pulumi_state WHERE key = :key")


class StackStates(Protocol):
    """What the state says of stacks."""

    def digest(self, stack: str) -> str | None:
        """Return the SHA-256 of what a stack's state means, None if there is no stack.

        It is the same before and after an operation that changes nothing, and another one once anybody has changed a
        resource's inputs, outputs or id, or a pending operation.

        Raises:
            StateCorrupt: if the state cannot be read.
            StateUnavailable: if the state database does not answer.
        """

    def deployment(self, stack: str) -> dict[str, Any] | None:
        """Return a stack's deployment (``resources``, ``pending_operations``), None if there is no stack.

        Secrets in it are encrypted. Raises as ``digest`` does.
        """


class StateStore:
    """Pulumi's state table, read. Each call is one short statement of about a millisecond; safe to share by threads.

    Args:
        database_url: the state's address, ``postgres://…/slipway-state``. Nothing is opened before the first call.
    """

    def __init__(self, database_url: str) -> None:
        self.keys = StateKeys.of(database_url)
        self.engine = state_engine(database_url)

    def digest(self, stack: str) -> str | None:
        """Return the SHA-256 of what a stack's state means; see ``StackStates``."""
        deployment = self.deployment(stack)
        return None if deployment is None else meaning(deployment)

    def deployment(self, stack: str) -> dict[str, Any] | None:
        """Return a stack's deployment; see ``StackStates``."""
        row = self._row(self.keys.checkpoint(stack))
        return None if row is None else read_checkpoint(stack, row["data"])

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()

    def _row(self, key: str) -> RowMapping | None:
        try:
            with self.engine.connect() as connection:
                return connection.execute(_CHECKPOINT, {"key": key}).mappings().one_or_none()
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE:
                return None  # the CLI makes its table when it is first started
            raise
        except (OperationalError, DBAPIError) as error:
            raise StateUnavailable(f"the state database does not answer ({type(error.orig).__name__})") from error


def state_engine(database_url: str, *, lock_milliseconds: int = 3000) -> Engine:
    """Open a small pool of connections, lazily, on which each statement is a transaction of its own.

    A statement that waits longer than ``lock_milliseconds`` for a lock, or runs for longer than ten seconds, is given
    up: whatever it was for can be done again, and an engine that waits behind it has a customer waiting.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
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
