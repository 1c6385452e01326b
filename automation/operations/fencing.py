"""Engines on other hosts: who may say that one is dead, and what follows from it.

Nobody can look into another host's process table, so an engine there is of unknown fate until the host answers again or
a person declares it dead. The declaration binds one boot of the host: a machine that was started again is another. And
it holds for the host too: should it live after all, its workers take nothing more until it is restarted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import OPERATOR_SHELL, AuditEntry, record
from api.db.session import Database
from api.errors import Conflict, NotFound
from api.operations.hosts import FencedHost, fences, is_fenced
from api.operations.models import Operation, OperationStatus
from api.platform.models import PlatformRun, RunStatus
from automation.engine.contract import EngineProcess


class FencedHosts(Protocol):
    """What a worker asks about hosts that were declared dead."""

    def is_dead(self, process: EngineProcess) -> bool:
        """Tell whether an engine's host was declared dead in the boot that the engine ran in."""

    def is_here(self) -> bool:
        """Tell whether this worker's own host was: then it must not take anything."""


@dataclass(frozen=True, slots=True)
class DatabaseFences:
    """The declarations, as they stand in the database.

    Attributes:
        host: this worker's own.
        boot_id: of this boot.
    """

    database: Database
    host: str
    boot_id: str

    def is_dead(self, process: EngineProcess) -> bool:
        """Tell whether an engine's host was declared dead in the boot that the engine ran in; never of our own."""
        return process.host != self.host and self._is_fenced(process.host, process.boot_id)

    def is_here(self) -> bool:
        """Tell whether this host was declared dead, and has not been restarted since."""
        return self._is_fenced(self.host, self.boot_id)

    def _is_fenced(self, host: str, boot_id: str) -> bool:
        with self.database.transaction() as transaction:
            return is_fenced(transaction.session, host, boot_id)


class HostAlive(Conflict):
    """The host cannot be dead: it holds a valid lease, or it is where the command runs."""

    code: ClassVar[str] = "host_alive"


@dataclass(frozen=True, slots=True)
class WorkerHost:
    """A host that works, or has worked.

    Attributes:
        leases: operations and platform runs that its workers hold a valid lease on.
        lease_until: the end of its last lease.
        boots: of the engines on record there whose end nobody has seen.
        fenced: the declarations about it, the newest first.
    """

    name: str
    leases: int
    lease_until: datetime | None
    boots: Sequence[str]
    fenced: Sequence[FencedHost]


class HostFencing:
    """Declares hosts dead, for whoever runs Slipway; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hosts(self) -> list[WorkerHost]:
        """Return every host that any operation or platform run knows of, by name."""
        declared = fences(self._session)
        leased: dict[str, tuple[int, datetime | None]] = {}
        for host, number, until in self._leased():
            before, latest = leased.get(host, (0, None))
            leased[host] = (before + number, max((one for one in (latest, until) if one is not None), default=None))
        boots = self._boots()
        return [
            WorkerHost(name, *leased.get(name, (0, None)), boots.get(name, []), declared.get(name, []))
            for name in sorted(leased.keys() | boots.keys() | declared.keys())
        ]

    def fence(self, host: str, here: str, by: str, reason: str) -> WorkerHost:
        """Declare a host dead. What waits for its engines is due at once.

        Args:
            host: its name, as ``hosts`` tells it.
            here: the name of the host on which this is said.
            by: who says so.
            reason: how they know.

        Raises:
            NotFound: if no worker of that name was ever seen.
            HostAlive: if it is this host, or has renewed a lease that is still valid.
        """
        if host == here:
            raise HostAlive(f"'{host}' is this host: it is alive, and its workers look after their engines themselves")
        found = next((each for each in self.hosts() if each.name == host), None)
        if found is None:
            known = ", ".join(each.name for each in self.hosts()) or "none"
            raise NotFound(f"no worker on a host '{host}' has been seen; known are: {known}")
        if found.leases and found.lease_until is not None:
            until = found.lease_until.isoformat(timespec="seconds")
            raise HostAlive(
                f"'{host}' holds {found.leases} lease(s), the last until {until}: "
                "it is alive, or died just now; try again once they have run out"
            )
        self._declare(found, by, reason)
        return next(each for each in self.hosts() if each.name == host)

    def _declare(self, host: WorkerHost, by: str, reason: str) -> None:
        session = self._session
        known = {fence.boot_id for fence in host.fenced}
        new: list[str | None] = [boot for boot in host.boots if boot not in known]
        for boot_id in new or [None]:
            session.add(FencedHost(id=uuid7(), host=host.name, boot_id=boot_id, declared_by=by, reason=reason))
        entry = AuditEntry(
            action="host.fence",
            actor=OPERATOR_SHELL,
            subject_type="host",
            subject_id=host.name,
            reason=reason,
            diff={"by": by, "boots": list(host.boots)},
        )
        record(session, entry)
        for table, queued in ((Operation, OperationStatus.QUEUED), (PlatformRun, RunStatus.QUEUED)):
            waiting = (table.status == queued, table.engine["process"]["host"].astext == host.name)
            session.execute(update(table).where(*waiting).values(next_attempt_at=func.now()))
        session.flush()

    def _leased(self) -> Iterator[tuple[str, int, datetime | None]]:
        """Yield, by kind of work and host, how many valid leases it holds, and the end of its last one."""
        for table, running in ((Operation, OperationStatus.RUNNING), (PlatformRun, RunStatus.RUNNING)):
            owner = func.substring(table.lease_owner, "^(.*):[^:]*$")
            valid = func.count().filter(table.status == running, table.lease_until > func.now())
            query = select(owner, valid, func.max(table.lease_until)).where(owner.is_not(None)).group_by(owner)
            yield from ((host, number, until) for host, number, until in self._session.execute(query))

    def _boots(self) -> Mapping[str, list[str]]:
        """Return, by host, the boots of the engines on record; the record is the runner's (``EngineRecord``)."""
        found: dict[str, set[str]] = {}
        for table in (Operation, PlatformRun):
            process: Any = table.engine["process"]
            host, boot = process["host"].astext, process["boot_id"].astext
            is_open = (table.engine.is_not(None), table.engine["ended"].as_boolean().is_not(True))
            for name, boot_id in self._session.execute(select(host, boot).where(*is_open).distinct()):
                found.setdefault(name, set()).add(boot_id)
        return {name: sorted(boots) for name, boots in found.items()}
