"""Removals that failed, and whose machine a person has brought back to the pool since: they can succeed now."""

from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from api.machines.models import Machine, WipeReport
from api.operations.cause import Cause
from api.operations.models import ACTIVE, Operation
from api.orders.fulfilment import lock_order
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import WorkloadService, lock_workload

_WHY = "its machine was wiped and is back in the pool: what else it holds can be released"


class ReturnedMachines:
    """Goes on with removals, once for each proof that the workload's data is gone.

    Each call of ``remove`` belongs in a transaction of its own, which the caller commits.
    """

    def __init__(self, session: Session, deadline_seconds: float) -> None:
        """``deadline_seconds`` is for the operations that follow."""
        self._session = session
        self._deadline_seconds = deadline_seconds

    def due(self, limit: int = 100) -> list[UUID]:
        """Return workloads that are to go, need attention, and hold a machine no more that was wiped of their data."""
        return list(self._session.scalars(select(Workload.id).where(_is_due()).order_by(Workload.id).limit(limit)))

    def remove(self, workload_id: UUID) -> Operation | None:
        """Try the removal again; returns its operation, or None if there is nothing to try by now."""
        order_id = self._session.scalars(select(Workload.order_id).where(Workload.id == workload_id)).one()
        lock_order(self._session, order_id)
        workload = lock_workload(self._session, workload_id)
        if self._session.scalars(select(Workload.id).where(Workload.id == workload_id, _is_due())).first() is None:
            return None
        service = WorkloadService(self._session, self._deadline_seconds)
        return service.cancel(workload, Cause(_WHY, has_consent=True))


def _is_due() -> ColumnElement[bool]:
    """Tell of a workload; an operation that ended after the proof has had its chance, and a person looks at it."""
    is_held = exists().where(Machine.workload_id == Workload.id)
    since = exists().where(
        Operation.workload_id == Workload.id,
        (Operation.status.in_(ACTIVE)) | (Operation.finished_at > WipeReport.created_at),
    )
    is_proven = exists().where(WipeReport.workload_id == Workload.id, ~since.correlate(Workload, WipeReport))
    return (
        (Workload.status == WorkloadStatus.NEEDS_ATTENTION)
        & Workload.desired_absent
        & Workload.machine_id.is_not(None)
        & ~is_held
        & is_proven
    )
