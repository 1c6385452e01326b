"""The closer look: the engine's refreshing preview of the few workloads that the list pass found suspicious.

A preview of a refresh takes no lock and writes no state, so an operation that begins meanwhile is not held up.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import aliased

from api.db.session import Database
from api.drift.findings import differences_of, step_differences
from api.drift.harmless import is_harmless
from api.drift.models import DriftFinding, DriftKind, FindingStatus
from api.drift.repair import DriftRepair
from api.drift.severity import severity_of
from api.errors import SlipwayError
from api.inventory.models import Node
from api.jobs import Job, JobQueue
from api.operations.models import ACTIVE, Operation, OperationStatus
from api.settings import WorkerSettings
from api.vault import Vault
from api.workloads.models import Workload
from automation.drift.access import access_to
from automation.drift.budget import looks_allowed
from automation.engine.contract import (
    Engine,
    EngineAction,
    EngineJob,
    EngineOutcome,
    EngineResult,
    EngineUnavailable,
)
from automation.operations.environment import engine_secrets, node_environment

_LOG = structlog.get_logger(__name__)
_WINDOW = timedelta(minutes=10)
_ASK_SECONDS = 1.0
_LOOKED_AT = (DriftKind.MISSING, DriftKind.POWER, DriftKind.CHANGED)
"""What the engine can say more of; a stranger's guest and a copy are not in the stack."""
_WORKING = (OperationStatus.QUEUED, OperationStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class _Suspect:
    finding_id: UUID
    number: int
    node: Node
    stack: str
    desired: dict[str, Any]
    passphrase_encrypted: bytes


@dataclass(frozen=True, slots=True)
class Examiner:
    """Has the engine look closer, one suspect after another, for one worker process."""

    database: Database
    engine: Engine
    jobs: JobQueue
    vault: Vault
    settings: WorkerSettings
    clock: Callable[[], float] = time.monotonic

    def run(self) -> int:
        """Look at the most urgent suspects within the budget; returns how many were looked at. Blocks for seconds each.

        None is taken on a node where an operation waits or works, and a look under way ends as soon as one does.
        """
        for done in range(self.settings.drift_suspects_per_run):
            suspect = self._take()
            if suspect is None:
                return done
            try:
                result = self._look(suspect)
            except EngineUnavailable as error:
                _LOG.warning("suspect_not_examined", finding=str(suspect.finding_id), error=str(error))
                self._put_back(suspect)
                return done
            if result.outcome is EngineOutcome.CANCELLED:
                self._put_back(suspect)
                return done
            self._write(suspect, result)
        return self.settings.drift_suspects_per_run

    def _take(self) -> _Suspect | None:
        """Claim a suspect; the claim is the time of the look, so that a look that fails is not repeated at once."""
        with self.database.transaction() as transaction:
            row = transaction.session.execute(self._suspects()).first()
            if row is None:
                return None
            finding, workload, node = row
            finding.examined_at = transaction.session.execute(select(func.now())).scalar_one()
            finding.examinations += 1
            return _Suspect(
                finding.id,
                finding.examinations,
                node,
                workload.stack,
                workload.desired,
                workload.passphrase_encrypted,
            )

    def _suspects(self) -> Select[DriftFinding, Workload, Node]:
        allowed = looks_allowed(self.settings.drift_requests_per_second, _WINDOW.total_seconds())
        other, theirs = aliased(DriftFinding), aliased(Workload)
        looks = (
            select(func.count())
            .select_from(other)
            .join(theirs, theirs.id == other.workload_id)
            .where(theirs.node_id == Workload.node_id, other.examined_at > func.now() - _WINDOW)
            .correlate(Workload)
            .scalar_subquery()
        )
        return (
            select(DriftFinding, Workload, Node)
            .join(Workload, Workload.id == DriftFinding.workload_id)
            .join(Node, Node.id == Workload.node_id)
            .where(
                DriftFinding.status == FindingStatus.OPEN,
                DriftFinding.kind.in_(_LOOKED_AT),
                DriftFinding.examined_at.is_(None),
                ~exists().where(Operation.workload_id == Workload.id, Operation.status.in_(ACTIVE)),
                ~_is_node_busy(Node.id),
                looks < allowed,
            )
            .order_by(DriftFinding.last_seen.desc(), DriftFinding.id)
            .limit(1)
            .with_for_update(of=DriftFinding, skip_locked=True)
        )

    def _look(self, suspect: _Suspect) -> EngineResult:
        node = access_to(suspect.node, self.vault)
        job = EngineJob(
            operation_id=f"drift-{suspect.finding_id}",
            fence=suspect.number,
            stack=suspect.stack,
            action=EngineAction.PREVIEW_REFRESH,
            spec=suspect.desired,
            work_root=self.settings.work_root,
            deadline_seconds=self.settings.operation_deadline_seconds,
        )
        secrets = engine_secrets(node_environment(node), self.vault.open(suspect.passphrase_encrypted), self.settings)
        asked = self.clock()

        def may_go_on() -> bool:
            nonlocal asked
            if self.clock() - asked < _ASK_SECONDS:
                return True
            asked = self.clock()
            return not self._is_busy(suspect.node.id)

        return self.engine.start(job, secrets).wait(lambda _event: None, may_go_on)

    def _is_busy(self, node_id: UUID) -> bool:
        with self.database.transaction() as transaction:
            return bool(transaction.session.scalar(select(_is_node_busy(node_id))))

    def _put_back(self, suspect: _Suspect) -> None:
        with self.database.transaction() as transaction:
            finding = transaction.session.get_one(DriftFinding, suspect.finding_id, with_for_update=True)
            finding.examined_at = None

    def _write(self, suspect: _Suspect, result: EngineResult) -> None:
        if result.outcome is not EngineOutcome.SUCCEEDED:
            code = None if result.failure is None else result.failure.code
            _LOG.warning("suspect_not_examined", finding=str(suspect.finding_id), code=code)
            return
        steps = [dict(step) for step in result.steps if step["op"] != "same"]
        with self.database.transaction() as transaction:
            finding = transaction.session.get_one(DriftFinding, suspect.finding_id, with_for_update=True)
            if finding.status not in {FindingStatus.OPEN, FindingStatus.IGNORED} or finding.examined_at is None:
                return
            finding.steps = steps
            paths = differences_of(finding)
            finding.severity = severity_of(finding.kind, (*paths, *step_differences(steps)), finding.sightings)
            is_ours = self.settings.drift_repairs_harmless and finding.status is FindingStatus.OPEN
            repairs = is_ours and is_harmless(finding.kind, paths, steps)
        if repairs:
            self._repair(suspect.finding_id)

    def _repair(self, finding_id: UUID) -> None:
        try:
            with self.database.transaction() as transaction:
                repair = DriftRepair(transaction.session, self.settings.operation_lifetime_seconds, by=None)
                operation = repair.revert(finding_id, "harmless, so it was brought back without asking").operation
                if operation is not None:
                    operation_id = operation.id
                    transaction.after_commit(lambda: self.jobs.enqueue(Job.RUN_OPERATION, operation_id))
        except SlipwayError as error:
            _LOG.warning("finding_not_repaired", finding=str(finding_id), code=error.code)


def _is_node_busy(node_id: Any) -> ColumnElement[bool]:
    """Tell whether an operation waits or works on a node: an id, or a column of the query around."""
    theirs = aliased(Workload)
    return exists().where(
        and_(theirs.node_id == node_id, Operation.workload_id == theirs.id, Operation.status.in_(_WORKING))
    )
