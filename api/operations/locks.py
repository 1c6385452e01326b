"""Locks an operation with all that its end touches, the same way round as everywhere else."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import NotFound
from api.operations.models import Operation
from api.orders.fulfilment import lock_order
from api.orders.models import Order
from api.workloads.models import Workload
from api.workloads.service import lock_workload


class LockedOperation(NamedTuple):
    """An operation, and whose it is."""

    order: Order
    workload: Workload
    operation: Operation


def lock_operation(session: Session, operation_id: UUID) -> LockedOperation:
    """Return an operation with its workload and order, locked until the transaction ends: order, workload, operation.

    Raises:
        NotFound: if there is none.
    """
    ids = session.execute(
        select(Workload.order_id, Workload.id)
        .join(Operation, Operation.workload_id == Workload.id)
        .where(Operation.id == operation_id)
    ).one_or_none()
    if ids is None:
        raise NotFound("there is no such operation")
    order = lock_order(session, ids.order_id)
    workload = lock_workload(session, ids.id)
    operation = session.get_one(Operation, operation_id, with_for_update=True, populate_existing=True)
    return LockedOperation(order, workload, operation)
