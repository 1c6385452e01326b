"""State sync: what a platform stack reports becomes sites, nodes, networks, addresses, zones, machines and hosts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.audit.trail import Actor, AuditEntry, differences_of_things, record
from api.errors import NotFound
from api.inventory.estate_facts import estate_facts
from api.inventory.holdings import held_report
from api.inventory.locks import lock_estate
from api.inventory.owners import Owners, names_in
from api.inventory.platform_models import PlatformStack
from api.inventory.pool_machines import PoolMachines
from api.inventory.withdrawal import Withdrawal
from api.inventory.writing import EstateWriter
from components.specs.platform import StackReport


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a report has changed, or would change.

    Attributes:
        digest: SHA-256 of the report.
        changes: by thing and field, each ``{"before": …, "after": …}``.
    """

    stack: str
    digest: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a stack has told, and what is held of it now.

    Attributes:
        held: in the form of a report, with what the rows say today.
        is_as_told: whether that is what the stack told.
    """

    row: PlatformStack
    held: Mapping[str, Any]

    @property
    def is_as_told(self) -> bool:
        """Whether nobody has changed or removed anything since."""
        return self.held == self.row.report


class StackReports:
    """Applies reports, each in one transaction, which the caller commits. Two reports at once wait for each other."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def apply(self, report: StackReport, actor: Actor) -> Outcome:
        """Bring the estate to what a stack describes, and record what that changed, if anything.

        What the stack described before and no longer does is withdrawn: a node is retired, a machine that was ever a
        customer's is retired as well, the rest goes.

        Raises:
            StillInUse: if customers are on what would be withdrawn.
            ToldByAnotherStack: if another stack describes one of these things.
            InvalidInput: if a site or template is unknown, a pool would change or overlap another, or a node would have
                less than is sold on it.
            Conflict: if a machine is known by what is another's, or its hardware would change while it is in use.
        """
        lock_estate(self._session)
        told = report.model_dump(mode="json")
        digest = digest_of(told)
        owners = Owners(self._session)
        owners.check(report, told)
        before = estate_facts(self._session)
        gone = Withdrawal(
            self._session, report.stack, owners.no_longer_told(report.stack, told), actor, names_in(told, "nodes")
        )
        gone.check()
        gone.carry_out()
        self._write(report, PoolMachines(self._session, actor))
        gone.close_sites()
        self._keep(report, told, digest)
        changes = differences_of_things(before, estate_facts(self._session))
        outcome = Outcome(report.stack, digest, changes)
        if changes:
            reason = f"the stack '{report.stack}' reported, which changed {len(changes)} things"
            self._record("inventory.report", report.stack, actor, reason, changes)
        return outcome

    def try_out(self, report: StackReport, actor: Actor) -> Outcome:
        """Say what a report would change; changes nothing. Raises as ``apply`` does."""
        savepoint = self._session.begin_nested()
        try:
            return self.apply(report, actor)
        finally:
            savepoint.rollback()

    def withdraw(self, stack: str, actor: Actor) -> None:
        """Withdraw everything that a stack describes, and forget the stack.

        Raises:
            NotFound: if it has never reported, or has been withdrawn.
            StillInUse: if customers are on what would be withdrawn.
        """
        lock_estate(self._session)
        row = self._row(stack)
        before = estate_facts(self._session)
        gone = Withdrawal(self._session, stack, Owners(self._session).no_longer_told(stack, {}), actor)
        gone.check()
        gone.carry_out()
        gone.close_sites()
        self._session.delete(row)
        self._session.flush()
        changes = differences_of_things(before, estate_facts(self._session))
        reason = f"the stack '{stack}' withdrew {len(changes)} things"
        self._record("inventory.withdraw", stack, actor, reason, changes)

    def holding(self, stack: str) -> Holding:
        """Return what is held of a stack's report.

        Raises:
            NotFound: if it has never reported, or has been withdrawn.
        """
        row = self._row(stack)
        return Holding(row, held_report(self._session, row.report))

    def all(self) -> Sequence[Holding]:
        """Return what is held of each stack's report, by the stack's name."""
        rows = self._session.scalars(select(PlatformStack).order_by(PlatformStack.stack))
        return [Holding(row, held_report(self._session, row.report)) for row in rows]

    def _write(self, report: StackReport, machines: PoolMachines) -> None:
        writer = EstateWriter(self._session)
        for site in report.sites:
            writer.site(site)
        for node in report.nodes:
            writer.node(node, is_whole=True)
        for pool in report.address_pools:
            writer.pool(pool)
        for zone in report.dns_zones:
            writer.zone(zone)
        for network in report.networks:
            writer.network(network)
        for server in report.servers:
            writer.server(server)
        for machine in report.machines:
            machines.write(machine)
        for host in report.hosts:
            writer.host(host)

    def _keep(self, report: StackReport, told: dict[str, Any], digest: str) -> None:
        row = self._session.scalars(select(PlatformStack).where(PlatformStack.stack == report.stack)).one_or_none()
        if row is None:
            row = PlatformStack(id=uuid7(), stack=report.stack)
            self._session.add(row)
        row.kind, row.report, row.digest = report.kind, told, digest
        row.reported_at = self._session.execute(select(func.now())).scalar_one()
        self._session.flush()

    def _row(self, stack: str) -> PlatformStack:
        row = self._session.scalars(select(PlatformStack).where(PlatformStack.stack == stack)).one_or_none()
        if row is None:
            raise NotFound(f"no stack '{stack}' has reported: bring it up, or run `slipway inventory sync {stack}`")
        return row

    def _record(self, action: str, stack: str, actor: Actor, reason: str, changes: Mapping[str, Any]) -> None:
        entry = AuditEntry(
            action=action, actor=actor, subject_type="platform_stack", subject_id=stack, reason=reason, diff=changes
        )
        record(self._session, entry)


def digest_of(report: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a report in its canonical form."""
    return hashlib.sha256(json.dumps(report, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
