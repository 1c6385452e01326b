"""Transactions, opened and committed at the edge: services flush, they never commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

import api.db.tables  # noqa: F401 - relationships name their classes: every process needs all of them
from api.audit.trail import attach


class Transaction:
    """One unit of work: a session, and what is to happen once it is durable."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run ``action`` after the commit; never if the transaction is rolled back."""
        self._after_commit.append(action)

    def run_after_commit(self) -> None:
        """Run what was registered; called once by ``Database.transaction``."""
        for action in self._after_commit:
            action()


class Database:
    """Hands out transactions on one PostgreSQL database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        attach(self._sessions)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit when the block ends, roll back when it raises. No network call belongs inside."""
        with self._sessions() as session:
            transaction = Transaction(session)
            with session.begin():
                yield transaction
        transaction.run_after_commit()

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def connect(url: str, *, pool_size: int = 10, role: str | None = None) -> Database:
    """Open a connection pool.

    Args:
        url: where the database is.
        pool_size: connections that are kept.
        role: whose rights the sessions have (the login must be a member); None is the login's own.

    A plain ``postgresql://`` address gets the psycopg 3 driver. Sessions run in UTC and give up on a lock after
    ten seconds: an order that waits longer is better answered "try again". Errors do not carry the statement's
    parameters, which may be secrets, into the logs.
    """
    dialect, separator, rest = url.partition("://")
    if dialect in {"postgres", "postgresql"}:
        url = f"postgresql+psycopg{separator}{rest}"
    options = "-c timezone=utc -c lock_timeout=10s" + (f" -c role={role}" if role else "")
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 5},
    )
    return Database(engine)
