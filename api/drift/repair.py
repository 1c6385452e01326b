"""What staff decides about a finding: adopt it, revert it, or live with it.

Adopting and reverting change or repeat what is wanted and schedule an operation, which is previewed, judged, approved
and audited as any other; nothing here touches the world.
"""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from api.alerts.models import AlertKind
from api.alerts.service import resolve
from api.audit.trail import Actor, AuditEntry, record
from api.drift.adoption import adopted
from api.drift.errors import FindingSettled, NotRevertible
from api.drift.findings import differences_of
from api.drift.models import DriftFinding, DriftIgnore, DriftKind, FindingStatus, Resolution
from api.errors import Conflict, InvalidInput, NotFound
from api.inventory.capacity import Capacity
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation, OperationKind
from api.operations.scheduling import schedule
from api.workloads.models import Workload
from api.workloads.service import lock_workload
from components.specs import parse_workload_spec

PRICE_STAYS = "The price stays that of the order: adopting changes what is wanted, not what is paid."

_NOT_REVERTIBLE = {
    DriftKind.IDENTITY: (
        "finding: the guest at this VMID does not bear our tags; the engine would take it for ours. "
        "Have its owner move it to another VMID, or give ours its tags back, then scan again"
    ),
    DriftKind.UNEXPECTED: "finding: the copy is not in the workload's stack: remove it on its node, then scan again",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What was decided: the finding, the operation that follows, and what else there is to know."""

    finding: DriftFinding
    operation: Operation | None
    note: str


class DriftRepair:
    """Decides about findings for ``by`` (None is the control plane itself); the caller commits."""

    def __init__(self, session: Session, deadline_seconds: float, by: UUID | None) -> None:
        self._session = session
        self._deadline_seconds = deadline_seconds
        self._by = by

    def adopt(self, finding_id: UUID, reason: str) -> Repair:
        """Want what is there.

        The room it takes is held at once; room that it gives back stays held until the workload is resized or gone.

        Raises:
            NotFound: if there is no such finding.
            FindingSettled: if it is resolved or being repaired.
            NotAdoptable: if the spec does not model it, or a disk would shrink.
            NoCapacity: if the node's books have no room for it.
            Conflict: if an operation on the workload is under way.
        """
        finding, workload = self._decidable(finding_id)
        before = workload.desired
        wanted = adopted(before, finding.kind, differences_of(finding))
        spec = parse_workload_spec(wanted)
        workload.desired = spec.model_dump(mode="json")
        workload.generation += 1
        operation = self._schedule(workload, finding, Resolution.ADOPTED, reason)
        Capacity(self._session).grow(workload.id, spec.resources)
        self._record("drift.adopt", finding, reason)
        return Repair(finding, operation, PRICE_STAYS)

    def revert(self, finding_id: UUID, reason: str, *, accepts_data_loss: bool = False) -> Repair:
        """Bring back what we want; the engine looks at what is really there first.

        Raises:
            NotFound: if there is no such finding.
            FindingSettled: if it is resolved or being repaired.
            NotRevertible: if a stranger's guest or a copy stands in the way, or the guest is gone and
                ``accepts_data_loss`` was not said: it would be built anew, empty.
            Conflict: if an operation on the workload is under way.
        """
        finding, workload = self._decidable(finding_id)
        if finding.kind in _NOT_REVERTIBLE:
            raise NotRevertible(_NOT_REVERTIBLE[finding.kind], kind=finding.kind.value)
        if finding.kind is DriftKind.MISSING and not accepts_data_loss:
            raise NotRevertible(
                "accepts_data_loss: the guest is gone with all that it held; it would be built anew and empty. "
                "Say that this is meant, or restore it on its node and scan again",
                kind=finding.kind.value,
            )
        operation = self._schedule(workload, finding, Resolution.REVERTED, reason)
        self._record("drift.revert", finding, reason)
        return Repair(finding, operation, "What is there is brought back to what was ordered.")

    def ignore(
        self, finding_id: UUID, reason: str, until: datetime | None = None, path_pattern: str | None = None
    ) -> DriftIgnore:
        """Live with it, until a moment or for good; other differences of the workload still count.

        Raises:
            NotFound: if there is no such finding.
            FindingSettled: if it is resolved or being repaired.
            InvalidInput: if the pattern fits none of its paths.
        """
        finding = self._locked(finding_id)
        if self._by is None:
            raise InvalidInput("by: only a person can decide to live with a difference")
        if path_pattern is not None and not any(fnmatchcase(path["path"], path_pattern) for path in finding.paths):
            paths = ", ".join(path["path"] for path in finding.paths)
            raise InvalidInput(f"path_pattern: '{path_pattern}' fits none of this finding's paths ({paths})")
        rule = DriftIgnore(
            id=uuid7(),
            workload_id=finding.workload_id,
            kind=finding.kind,
            path_pattern=path_pattern,
            created_by=self._by,
            reason=reason,
            until=until,
        )
        self._session.add(rule)
        finding.status = FindingStatus.IGNORED
        resolve(self._session, AlertKind.DRIFT, finding.id)
        self._session.flush()
        self._record("drift.ignore", finding, reason)
        return rule

    def _decidable(self, finding_id: UUID) -> tuple[DriftFinding, Workload]:
        """Lock workload and finding; in this order, as everywhere else."""
        workload_id = self._session.scalars(
            select(DriftFinding.workload_id).where(DriftFinding.id == finding_id)
        ).one_or_none()
        if workload_id is None:
            raise NotFound("there is no such finding")
        workload = lock_workload(self._session, workload_id)
        finding = self._locked(finding_id)
        active = select(Operation.id).where(Operation.workload_id == workload.id, Operation.status.in_(ACTIVE))
        if self._session.scalars(active).one_or_none() is not None:
            raise Conflict("an operation on this workload is under way; wait until it has ended, then scan again")
        if workload.desired_absent:
            raise Conflict("this workload is being removed: there is nothing to repair")
        return finding, workload

    def _locked(self, finding_id: UUID) -> DriftFinding:
        finding = self._session.scalars(
            select(DriftFinding)
            .where(DriftFinding.id == finding_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if finding is None:
            raise NotFound("there is no such finding")
        if finding.status not in {FindingStatus.OPEN, FindingStatus.IGNORED}:
            raise FindingSettled(
                f"this finding is '{finding.status}': there is nothing to decide", status_now=finding.status.value
            )
        return finding

    def _schedule(self, workload: Workload, finding: DriftFinding, resolution: Resolution, reason: str) -> Operation:
        cause = Cause(reason=f"{resolution} drift: {reason}", by=self._by, refreshes=True)
        operation = schedule(self._session, workload, OperationKind.APPLY, self._deadline_seconds, cause)
        finding.status, finding.resolution, finding.operation_id = FindingStatus.REPAIRING, resolution, operation.id
        self._session.flush()
        return operation

    def _record(self, action: str, finding: DriftFinding, reason: str) -> None:
        diff: dict[str, Any] = {"finding": str(finding.id), "kind": finding.kind.value, "paths": finding.paths}
        record(
            self._session,
            AuditEntry(
                action=action,
                actor=Actor.by(self._by),
                subject_type="workload",
                subject_id=finding.workload_id,
                reason=reason,
                diff=diff,
            ),
        )
