"""What an attempt writes while it works: each write in a short transaction of its own, and only under its lease."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from api.db.session import Database
from api.operations.events import LogLine
from api.operations.leases import Leased, Leases

_LOG = structlog.get_logger(__name__)


class Journal:
    """The fenced writes of one attempt; every method raises ``LeaseLost`` once the operation is somebody else's."""

    def __init__(self, database: Database, lease: Leased, owner: str, lease_seconds: float) -> None:
        """Write for ``lease``, which ``owner`` has for ``lease_seconds`` at a time."""
        self._database = database
        self._lease = lease
        self._owner = owner
        self._seconds = lease_seconds
        self._unwritten: list[LogLine] = []

    def begin(self) -> None:
        """Show that work starts."""
        with self._database.transaction() as transaction:
            Leases(transaction.session, self._owner, self._seconds).begin(self._lease)

    def renew(self) -> None:
        """Hold the lease for another full length."""
        with self._database.transaction() as transaction:
            leases = Leases(transaction.session, self._owner, self._seconds)
            leases.renew(self._lease.operation_id, self._lease.fence)

    def is_cancel_requested(self) -> bool:
        """Tell whether somebody wants the operation to end; a database that is away has not said so."""
        try:
            with self._database.transaction() as transaction:
                return Leases(transaction.session, self._owner, self._seconds).is_cancel_requested(self._lease)
        except DBAPIError:
            return False

    def engine(self, document: Mapping[str, Any]) -> None:
        """Remember the engine that works for this attempt."""
        with self._database.transaction() as transaction:
            leases = Leases(transaction.session, self._owner, self._seconds)
            leases.record_engine(self._lease.operation_id, self._lease.fence, document)

    def line(self, line: LogLine) -> None:
        """Add a line to the log.

        A database that is away for a moment must not end an engine in the midst of its work: the line is kept and
        written with the next one.
        """
        self._unwritten.append(line)
        try:
            with self._database.transaction() as transaction:
                Leases(transaction.session, self._owner, self._seconds).log(self._lease, self._unwritten)
        except DBAPIError as error:
            _LOG.warning("log_line_kept", operation=str(self._lease.operation_id), error=type(error).__name__)
        else:
            self._unwritten.clear()
