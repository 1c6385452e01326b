"""The end of a life: the world is healed, time passes, and each order must have ended as it should."""

from datetime import timedelta
from typing import TYPE_CHECKING

from api.jobs import Job
from api.operations.models import ACTIVE, OperationKind, OperationStatus
from api.orders.models import OrderStatus
from api.plans.judgement import Judgement
from api.workloads.models import Workload, WorkloadStatus
from tests.fixtures.shop import NOTHING
from tests.model.invariants import Rows, violations

if TYPE_CHECKING:
    from tests.model.machine import Known, LifeOfOrders

_ROUNDS = 30
_STEP = timedelta(seconds=60)
_LONG = timedelta(days=2)
_DELIVERED = {True: WorkloadStatus.RUNNING, False: WorkloadStatus.STOPPED}


def settle(life: "LifeOfOrders") -> None:
    """Let everything end, then look at how. What nobody ever troubled must have gone exactly as its customer wanted."""
    _heal(life)
    _work_off(life)
    if life.is_calm:
        _as_wanted(life)
    for _ in range(2):  # plans expire, and refunds that failed come up again
        life.forward_by(_LONG)
        _work_off(life)
    _no_work_is_left(life)
    for order_id, workload in Rows.read(life.hosting).workloads.items():
        if workload.status is WorkloadStatus.NEEDS_ATTENTION:
            assert workload.attention, "somebody is asked to look, and not told at what"
            life.cancel_order(order_id)
    _work_off(life)
    assert violations(life.hosting) == []
    _ended_well(life)


def _heal(life: "LifeOfOrders") -> None:
    hosting = life.hosting
    hosting.calm_down()
    hosting.engine.heal()
    hosting.guests.deaf_for = hosting.payments.deaf_for = 0
    hosting.judge.judgement = Judgement()
    while life.events:
        identifier, kind, subject = life.events.pop()
        hosting.shop.receive(kind, subject, identifier)


def _work_off(life: "LifeOfOrders") -> None:
    """Let workers and time go on until nothing is due any more."""
    hosting = life.hosting
    hosting.broker.waiting.clear()  # what follows must be found by the rows
    for _ in range(_ROUNDS):
        life.forward_by(_STEP)
        while life.events:
            identifier, kind, subject = life.events.pop()
            hosting.shop.receive(kind, subject, identifier)
        hosting.do(Job.SWEEP)
        hosting.do(Job.RECONCILE_PAYMENTS)
        work = [hint for hint in hosting.broker.waiting if hint != (Job.PAY_REFUNDS, ())]
        hosting.do(Job.PAY_REFUNDS)
        hosting.broker.waiting.clear()
        for job, arguments in work:
            hosting.do(job, *arguments)
        if not work and not _is_queued(life):
            return
    raise AssertionError(f"I12: after {_ROUNDS} minutes there is still work to do: {hosting.broker.waiting}")


def _is_queued(life: "LifeOfOrders") -> bool:
    operations = Rows.read(life.hosting).operations.values()
    return any(operation.status in {"queued", "running"} for several in operations for operation in several)


def _no_work_is_left(life: "LifeOfOrders") -> None:
    rows = Rows.read(life.hosting)
    active = [operation for several in rows.operations.values() for operation in several if operation.status in ACTIVE]
    assert [(operation.id, operation.status) for operation in active] == [], "I12: operations that never end"
    owed = [order_id for order_id, refund in rows.refunds.items() if refund.done_at is None]
    assert owed == [], "I12: refunds that are never paid"


def _as_wanted(life: "LifeOfOrders") -> None:
    """No fault, no refusal, no operator: everybody has what they asked for."""
    rows = Rows.read(life.hosting)
    for order_id, known in life.orders.items():
        order, workload = rows.orders[order_id], rows.workloads[order_id]
        if known.paid and known.paid_right and not known.is_over:
            wanted = OrderStatus.DELIVERED, _DELIVERED[known.started]
            assert (order.status, workload.status) == wanted, f"order {order_id} was never troubled"


def _ended_well(life: "LifeOfOrders") -> None:
    rows = Rows.read(life.hosting)
    for order_id, known in life.orders.items():
        order, workload = rows.orders[order_id], rows.workloads[order_id]
        assert order.status in _endings(known), f"order {order_id} ended as {order.status}: {known}"
        may_live = not known.is_over or _was_withdrawn(rows, workload)
        alive = order.status is OrderStatus.DELIVERED and may_live
        if workload.status is WorkloadStatus.DELETED:
            there = life.hosting.guests.of_vmid(workload.vmid)
            assert (there, life.hosting.shop.held(order_id)) == ([], NOTHING), f"order {order_id} left something"
        else:
            assert alive, f"order {order_id} is {order.status} and its workload {workload.status}: {known}"
    unknown = {order.status for order_id, order in rows.orders.items() if order_id not in life.orders}
    assert unknown <= {OrderStatus.EXPIRED}, "an order whose customer never got a page did not expire"


def _was_withdrawn(rows: Rows, workload: Workload) -> bool:
    """Tell whether a removal was asked for, and then cancelled, rejected or let expire."""
    return any(
        (operation.kind, operation.status) == (OperationKind.DESTROY, OperationStatus.CANCELLED)
        for operation in rows.operations.get(workload.id, [])
    )


def _endings(known: "Known") -> set[OrderStatus]:
    """Return how an order may end: never in between."""
    if not known.paid:
        return {OrderStatus.EXPIRED}
    if not known.paid_right:
        return {OrderStatus.REFUNDED}
    return {OrderStatus.DELIVERED, OrderStatus.REFUNDED}
