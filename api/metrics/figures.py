"""Figures from the rows, asked for at each scrape: every query is over what is live, not over the history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from api.alerts.models import Alert
from api.billing.mismatch import mismatch
from api.billing.models import LedgerEntry, Refund, StripeEvent
from api.drift.models import DriftFinding, FindingStatus
from api.inventory.models import Node, NodeState, Site
from api.machines.models import Machine
from api.operations.models import ACTIVE, Operation, OperationStatus
from api.orders.models import Order, OrderStatus
from api.workloads.models import Workload, WorkloadStatus
from components.specs import signals
from components.specs.signals import Signal

Families = Iterator[GaugeMetricFamily]

RESOURCES = ("cores", "memory_mib", "disk_gib")
_UNDELIVERED = (OrderStatus.PAID, OrderStatus.REFUND_DUE)


def operations(session: Session) -> Families:
    """What is under way, and how long the longest has been waiting for a worker."""
    active = select(Operation.kind, Operation.status, func.count()).where(Operation.status.in_(ACTIVE))
    yield _grouped(session, signals.OPERATIONS_ACTIVE, active.group_by(Operation.kind, Operation.status))
    due = (Operation.status == OperationStatus.QUEUED, Operation.next_attempt_at <= func.now())
    oldest = func.extract("epoch", func.now() - func.min(Operation.next_attempt_at))
    count, seconds = session.execute(select(func.count(), func.coalesce(oldest, 0)).where(*due)).one()
    yield _single(signals.OPERATIONS_DUE, count)
    yield _single(signals.OLDEST_DUE, seconds)


def workloads(session: Session) -> Families:
    """What customers have."""
    query = (
        select(Workload.kind, Workload.status, func.count())
        .where(Workload.status != WorkloadStatus.DELETED)
        .group_by(Workload.kind, Workload.status)
    )
    yield _grouped(session, signals.WORKLOADS, query)


def nodes(session: Session) -> Families:
    """What nodes may sell, and what of it is sold."""
    capacity, used = _family(signals.NODE_CAPACITY), _family(signals.NODE_USED)
    query = select(Node, Site.slug).join(Site, Site.id == Node.site_id).where(Node.state != NodeState.RETIRED)
    for node, site in session.execute(query.order_by(Node.name)):
        for resource in RESOURCES:
            labels = (node.name, node.node_class.value, site, node.state.value, resource)
            capacity.add_metric(labels, getattr(node, f"total_{resource}"))
            used.add_metric(labels, getattr(node, f"used_{resource}"))
    yield capacity
    yield used


def machines(session: Session) -> Families:
    """The pool of machines: what can be sold, what is in use, and what needs a person."""
    query = select(Machine.machine_class, Machine.state, func.count())
    yield _grouped(session, signals.MACHINES, query.group_by(Machine.machine_class, Machine.state))


def findings(session: Session) -> Families:
    """Differences between the world and the rows, and alerts that nobody has resolved."""
    drift = (
        select(DriftFinding.kind, DriftFinding.severity, func.count())
        .where(DriftFinding.status == FindingStatus.OPEN)
        .group_by(DriftFinding.kind, DriftFinding.severity)
    )
    yield _grouped(session, signals.DRIFT_FINDINGS, drift)
    alerts = select(Alert.kind, func.count()).where(Alert.resolved_at.is_(None)).group_by(Alert.kind)
    yield _grouped(session, signals.ALERTS_OPEN, alerts)


def debts(session: Session) -> Families:
    """What was paid and is not delivered yet, what is owed back, and what Stripe said that nobody has read."""
    undelivered = select(Order.status, func.count()).where(Order.status.in_(_UNDELIVERED)).group_by(Order.status)
    yield _grouped(session, signals.ORDERS_OPEN, undelivered)
    owed = select(Order.currency, func.sum(Refund.amount_cents)).join(Order, Order.id == Refund.order_id)
    yield _grouped(session, signals.REFUNDS_DUE, owed.where(Refund.done_at.is_(None)).group_by(Order.currency))
    unread = select(func.count()).select_from(StripeEvent).where(StripeEvent.processed_at.is_(None))
    yield _single(signals.STRIPE_EVENTS_DUE, session.execute(unread).scalar_one())


def money(session: Session) -> Families:
    """All money that ever moved, and what of it fits no order. It reads everything, so it is asked for less often."""
    moved = select(LedgerEntry.kind, LedgerEntry.currency, func.sum(LedgerEntry.amount_cents))
    yield _grouped(session, signals.LEDGER, moved.group_by(LedgerEntry.kind, LedgerEntry.currency))
    family = _family(signals.LEDGER_MISMATCH)
    for currency, cents in sorted(mismatch(session).items()):
        family.add_metric((currency,), float(cents))
    yield family


FIGURES: Sequence[Callable[[Session], Families]] = (operations, workloads, nodes, machines, findings, debts)
"""Asked for at every scrape."""

SLOW_FIGURES: Mapping[Callable[[Session], Families], float] = MappingProxyType({money: 60.0})
"""Asked for at most once in so many seconds."""


def _family(signal: Signal) -> GaugeMetricFamily:
    return GaugeMetricFamily(signal.name, signal.meaning, labels=signal.labels)


def _single(signal: Signal, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(signal.name, signal.meaning, value=float(value))


def _grouped(session: Session, signal: Signal, query: Executable) -> GaugeMetricFamily:
    """A family of a query whose last column is the value and whose others are the signal's labels."""
    family = _family(signal)
    for *named, value in session.execute(query):
        family.add_metric([str(label) for label in named], float(value))
    return family
