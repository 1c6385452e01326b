"""Leases with fences: who may work on an operation, and whose results count.

Times are the database's, so a worker's own clock does not matter.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from api.errors import LeaseLost
from api.inventory.models import Node
from api.machines.models import Machine
from api.operations.events import LogLine, append
from api.operations.leased import Leased, LeasedMachine, LeasedNode
from api.operations.models import Operation, OperationKind, OperationStatus
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import lock_workload, move

__all__ = ["Leased", "Leases", "due_operations"]

_BEGINNINGS = {
    OperationKind.APPLY: "Bringing {name} to its desired state on {place}.",
    OperationKind.DESTROY: "Removing {name} and everything it holds from {place}.",
    OperationKind.REBOOT: "Rebooting {name} on {place}.",
}


class Leases:
    """Takes, renews and gives up leases; each call belongs in a short transaction of its own."""

    def __init__(self, session: Session, owner: str, seconds: float) -> None:
        self._session = session
        self._owner = owner
        self._length = timedelta(seconds=seconds)

    def acquire(self, operation_id: UUID, creates_per_node: int) -> Leased | None:
        """Take the lease if the operation is due, or its holder has let the lease lapse.

        Returns None when somebody else holds it, when it has ended, when it is not due yet, or when its node is
        busy with ``creates_per_node`` others: cloning takes a lock on the template's storage. A machine is busy with
        nothing but its own workload.
        """
        row = self._session.execute(
            select(Operation, Workload)
            .join(Workload, Workload.id == Operation.workload_id)
            .where(Operation.id == operation_id, _is_due())
            .with_for_update(of=Operation)
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is None:
            return None
        operation, workload = row
        place = self._place(workload, creates_per_node)
        if place is None:
            return None
        previous = operation.engine
        operation.status = OperationStatus.RUNNING
        operation.fence += 1
        operation.attempts += 1
        operation.lease_owner = self._owner
        now = self._session.execute(select(func.now())).scalar_one()
        operation.lease_until = now + self._length
        operation.started_at = operation.started_at or now
        self._session.flush()
        return Leased.of(operation, workload, place, previous, now)

    def _place(self, workload: Workload, creates_per_node: int) -> LeasedNode | LeasedMachine | None:
        """Return where a workload is; None if that is a node that is busy. Locks the node: its work is counted."""
        if workload.machine_id is not None:
            return LeasedMachine.of(self._session.get_one(Machine, workload.machine_id, populate_existing=True))
        node = self._session.get_one(Node, workload.guest_node_id, with_for_update=True, populate_existing=True)
        if self._session.execute(select(_running_on(node.id))).scalar_one() >= creates_per_node:
            return None
        return LeasedNode.of(node)

    def begin(self, lease: Leased) -> None:
        """Show that work starts: the workload's status, the first line of the attempt's log.

        Raises:
            LeaseLost: if somebody else has taken the operation over.
        """
        workload = lock_workload(self._session, lease.workload_id)
        self.hold(lease.operation_id, lease.fence)
        if lease.kind is OperationKind.APPLY:
            workload.has_stack = True
            begun = WorkloadStatus.PROVISIONING if workload.applied_generation == 0 else WorkloadStatus.UPDATING
            if not workload.desired_absent:
                move(self._session, workload, begun, f"attempt {lease.attempt} of an operation began")
        line = LogLine("begin", _BEGINNINGS[lease.kind].format(name=lease.name, place=lease.place.words))
        append(self._session, lease.operation_id, lease.attempt, [line])

    def renew(self, operation_id: UUID, fence: int) -> None:
        """Hold the lease for another full length.

        Raises:
            LeaseLost: if somebody else has taken it.
        """
        self._write(operation_id, fence, lease_until=func.now() + self._length)

    def record_engine(self, operation_id: UUID, fence: int, engine: Mapping[str, Any]) -> None:
        """Remember which child process works for this lease.

        Raises:
            LeaseLost: if somebody else has taken it.
        """
        self._write(operation_id, fence, engine=dict(engine))

    def log(self, lease: Leased, lines: Iterable[LogLine]) -> None:
        """Append to the log of the attempt that holds the lease.

        The lock lets nobody take the operation over between the check and the commit, so lines of two holders never
        mix, and a reader that follows the ids misses none.

        Raises:
            LeaseLost: if somebody else has taken it.
        """
        mine = select(Operation.id).where(Operation.id == lease.operation_id, *_mine(lease.fence))
        if self._session.scalars(mine.with_for_update(read=True)).one_or_none() is None:
            raise LeaseLost("another worker has taken this operation over")
        append(self._session, lease.operation_id, lease.attempt, lines)

    def is_cancel_requested(self, lease: Leased) -> bool:
        """Tell whether somebody wants the operation to end."""
        asked = select(Operation.cancel_requested_at).where(Operation.id == lease.operation_id)
        return self._session.scalars(asked).one_or_none() is not None

    def hold(self, operation_id: UUID, fence: int) -> Operation:
        """Lock the operation for its last write.

        Raises:
            LeaseLost: if somebody else has taken it: the result at hand must be dropped.
        """
        operation = self._session.scalars(
            select(Operation)
            .where(Operation.id == operation_id, *_mine(fence))
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if operation is None:
            raise LeaseLost("another worker has taken this operation over")
        return operation

    def _write(self, operation_id: UUID, fence: int, **values: Any) -> None:
        result = self._session.execute(
            update(Operation)
            .where(Operation.id == operation_id, *_mine(fence))
            .values(**values)
            .returning(Operation.id)
            .execution_options(synchronize_session=False)
        )
        if result.one_or_none() is None:
            raise LeaseLost("another worker has taken this operation over")


def due_operations(
    session: Session, creates_per_node: int, *, node_id: UUID | None = None, limit: int = 100
) -> list[UUID]:
    """Return operations that a worker can begin now, the oldest first, on all nodes or on one.

    They are queued and due, or running under a lapsed lease. Those that wait for a busy node are left out, else a
    long queue at one node would hide what can be done at the others. Machines never are busy with others' work.
    """
    query = (
        select(Operation.id)
        .join(Workload, Workload.id == Operation.workload_id)
        .where(_is_due(), _running_on(Workload.node_id) < creates_per_node)
        .order_by(Operation.id)
        .limit(limit)
    )
    return list(session.scalars(query if node_id is None else query.where(Workload.node_id == node_id)))


def _running_on(node_id: Any) -> ScalarSelect[int]:
    """Count the operations under a valid lease on a node: an id, or a column of the query around."""
    running, theirs = aliased(Operation), aliased(Workload)
    return (
        select(func.count())
        .select_from(running)
        .join(theirs, theirs.id == running.workload_id)
        .where(
            theirs.node_id == node_id,
            running.status == OperationStatus.RUNNING,
            running.lease_until > func.now(),
        )
        .correlate(Workload)
        .scalar_subquery()
    )


def _is_due() -> Any:
    return or_(
        and_(Operation.status == OperationStatus.QUEUED, Operation.next_attempt_at <= func.now()),
        and_(Operation.status == OperationStatus.RUNNING, Operation.lease_until < func.now()),
    )


def _mine(fence: int) -> tuple[Any, Any]:
    return Operation.fence == fence, Operation.status == OperationStatus.RUNNING
