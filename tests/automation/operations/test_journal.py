"""What an attempt writes while it works."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from api.db.session import Database, Transaction
from api.errors import LeaseLost
from api.operations.events import LogLine
from automation.operations.journal import Journal
from tests.fixtures.operations import LEASE_SECONDS, Desk


class FlakyDatabase(Database):
    """A database that is away when it is told to be."""

    is_away = False

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction, or fail as psycopg does."""
        if self.is_away:
            raise OperationalError("SELECT 1", {}, ConnectionError("server closed the connection"))
        with super().transaction() as transaction:
            yield transaction


def _line(message: str) -> LogLine:
    return LogLine("resource", message)


def test_lines_that_could_not_be_written_come_with_the_next_one(desk: Desk) -> None:
    """In their order, and the engine's work goes on."""
    lease = desk.begun(desk.shop.place_paid())
    database = FlakyDatabase(desk.shop.database.engine)
    journal = Journal(database, lease, "worker-1", LEASE_SECONDS)
    database.is_away = True
    journal.line(_line("one"))
    journal.line(_line("two"))
    database.is_away = False
    journal.line(_line("three"))
    journal.line(_line("four"))
    assert [line.message for line in desk.lines(lease.operation_id)][1:] == ["one", "two", "three", "four"]


def test_every_write_is_refused_once_the_lease_is_lost(desk: Desk) -> None:
    """Nothing of a zombie reaches a row."""
    order_id = desk.shop.place_paid()
    zombie = desk.begun(order_id)
    desk.lapse(zombie.operation_id)
    desk.lease(order_id, "worker-2")
    journal = Journal(desk.shop.database, zombie, "worker-1", LEASE_SECONDS)
    for write in (journal.begin, journal.renew, lambda: journal.engine({"pid": 1}), lambda: journal.line(_line("x"))):
        with pytest.raises(LeaseLost):
            write()
    assert [line.kind for line in desk.lines(zombie.operation_id)] == ["begin"]
