"""What an attempt writes while it works: each write in a short transaction of its own, and only under its lease."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from api.db.session import Database
from api.operations.events import LogLine
from api.operations.leases import Leased, Leases

_LOG = structlog.get_logger(__name__)


class FencedWrites(Protocol):
    """What may be written under one lease; each call raises ``LeaseLost`` once somebody else has it."""

    def begin(self) -> None:
        """Show that work starts."""

    def renew(self) -> None:
        """Hold the lease for another full length."""

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the work to end."""

    def record_engine(self, document: Mapping[str, Any]) -> None:
        """Remember which child process works for this lease."""

    def log(self, lines: Sequence[LogLine]) -> None:
        """Append to the log."""


class FencedJournal:
    """The fenced writes of one attempt; every method raises ``LeaseLost`` once the work is somebody else's."""

    def __init__(self, database: Database, writes: Callable[[Session], FencedWrites]) -> None:
        """Write under the lease that ``writes`` binds to a session."""
        self._database = database
        self._writes = writes
        self._unwritten: list[LogLine] = []

    def begin(self) -> None:
        """Show that work starts."""
        with self._database.transaction() as transaction:
            self._writes(transaction.session).begin()

    def renew(self) -> None:
        """Hold the lease for another full length."""
        with self._database.transaction() as transaction:
            self._writes(transaction.session).renew()

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the work to end; a database that is away has not said so."""
        try:
            with self._database.transaction() as transaction:
                return self._writes(transaction.session).is_cancel_requested()
        except DBAPIError:
            return False

    def engine(self, document: Mapping[str, Any]) -> None:
        """Remember the engine that works for this attempt."""
        with self._database.transaction() as transaction:
            self._writes(transaction.session).record_engine(document)

    def line(self, line: LogLine) -> None:
        """Add a line to the log.

        A database that is away for a moment must not end an engine in the midst of its work: the line is kept and
        written with the next one.
        """
        self._unwritten.append(line)
        try:
            with self._database.transaction() as transaction:
                self._writes(transaction.session).log(self._unwritten)
        except DBAPIError as error:
            _LOG.warning("log_line_kept", line=line.kind, error=type(error).__name__)
        else:
            self._unwritten.clear()


@dataclass(frozen=True, slots=True)
class _OperationWrites:
    """The writes under one operation's lease."""

    leases: Leases
    lease: Leased

    def begin(self) -> None:
        self.leases.begin(self.lease)

    def renew(self) -> None:
        self.leases.renew(self.lease.operation_id, self.lease.fence)

    def is_cancel_requested(self) -> bool:
        return self.leases.is_cancel_requested(self.lease)

    def record_engine(self, document: Mapping[str, Any]) -> None:
        self.leases.record_engine(self.lease.operation_id, self.lease.fence, document)

    def log(self, lines: Sequence[LogLine]) -> None:
        self.leases.log(self.lease, lines)


class Journal(FencedJournal):
    """The fenced writes of one attempt at an operation."""

    def __init__(self, database: Database, lease: Leased, owner: str, lease_seconds: float) -> None:
        """Write for ``lease``, which ``owner`` has for ``lease_seconds`` at a time."""
        super().__init__(database, lambda session: _OperationWrites(Leases(session, owner, lease_seconds), lease))
