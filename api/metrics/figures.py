"""Figures from the rows, asked for at each scrape: every query is over what is live, not over the history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from api.alerts.models import Alert
from api.billing.models import LedgerEntry, Refund, StripeEvent
from api.drift.models import DriftFinding, FindingStatus
from api.inventory.models import Node, Site
from api.operations.models import ACTIVE, Operation, OperationStatus
from api.orders.models import Order, OrderStatus
from api.workloads.models import Workload, WorkloadStatus

Families = Iterator[GaugeMetricFamily]

RESOURCES = ("cores", "memory_mib", "disk_gib")
_UNDELIVERED = (OrderStatus.PAID, OrderStatus.REFUND_DUE)


def operations(session: Session) -> Families:
    """What is under way, and how long the longest has been waiting for a worker."""
    active = select(Operation.kind, Operation.status, func.count()).where(Operation.status.in_(ACTIVE))
    yield _grouped(
        session,
        "slipway_operations_active",
        "Operations that have not ended.",
        ("kind", "status"),
        active.group_by(Operation.kind, Operation.status),
    )
    due = (Operation.status == OperationStatus.QUEUED, Operation.next_attempt_at <= func.now())
    oldest = func.extract("epoch", func.now() - func.min(Operation.next_attempt_at))
    count, seconds = session.execute(select(func.count(), func.coalesce(oldest, 0)).where(*due)).one()
    yield _single("slipway_operations_due", "Operations that wait for a worker.", count)
    yield _single("slipway_operation_oldest_due_seconds", "How long the first of them has been waiting.", seconds)


def workloads(session: Session) -> Families:
    """What customers have."""
    query = (
        select(Workload.kind, Workload.status, func.count())
        .where(Workload.status != WorkloadStatus.DELETED)
        .group_by(Workload.kind, Workload.status)
    )
    yield _grouped(session, "slipway_workloads", "Workloads that are not deleted.", ("kind", "status"), query)


def nodes(session: Session) -> Families:
    """What nodes may sell, and what of it is sold."""
    capacity = GaugeMetricFamily(
        "slipway_node_capacity", "What a node may sell.", labels=("node", "class", "site", "state", "resource")
    )
    used = GaugeMetricFamily(
        "slipway_node_used", "What of it is sold.", labels=("node", "class", "site", "state", "resource")
    )
    for node, site in session.execute(select(Node, Site.slug).join(Site, Site.id == Node.site_id).order_by(Node.name)):
        for resource in RESOURCES:
            labels = (node.name, node.node_class.value, site, node.state.value, resource)
            capacity.add_metric(labels, getattr(node, f"total_{resource}"))
            used.add_metric(labels, getattr(node, f"used_{resource}"))
    yield capacity
    yield used


def findings(session: Session) -> Families:
    """Differences between the world and the rows, and alerts that nobody has resolved."""
    drift = (
        select(DriftFinding.kind, DriftFinding.severity, func.count())
        .where(DriftFinding.status == FindingStatus.OPEN)
        .group_by(DriftFinding.kind, DriftFinding.severity)
    )
    yield _grouped(session, "slipway_drift_findings", "Open findings of drift.", ("kind", "severity"), drift)
    alerts = select(Alert.kind, func.count()).where(Alert.resolved_at.is_(None)).group_by(Alert.kind)
    yield _grouped(session, "slipway_alerts_open", "Alerts that are open for staff.", ("kind",), alerts)


def debts(session: Session) -> Families:
    """What was paid and is not delivered yet, what is owed back, and what Stripe said that nobody has read."""
    undelivered = select(Order.status, func.count()).where(Order.status.in_(_UNDELIVERED)).group_by(Order.status)
    yield _grouped(session, "slipway_orders_open", "Orders that are paid and not settled.", ("status",), undelivered)
    owed = select(func.coalesce(func.sum(Refund.amount_cents), 0)).where(Refund.done_at.is_(None))
    yield _single("slipway_refunds_due_cents", "Cents that are owed back.", session.execute(owed).scalar_one())
    unread = select(func.count()).select_from(StripeEvent).where(StripeEvent.processed_at.is_(None))
    waiting = session.execute(unread).scalar_one()
    yield _single("slipway_stripe_events_due", "Stripe's events that were not acted on yet.", waiting)


def ledger(session: Session) -> Families:
    """All money that ever moved. It reads the whole ledger, so it is asked for less often than the others."""
    query = select(LedgerEntry.kind, LedgerEntry.currency, func.sum(LedgerEntry.amount_cents)).group_by(
        LedgerEntry.kind, LedgerEntry.currency
    )
    yield _grouped(
        session, "slipway_ledger_cents", "Cents that moved, positive towards us.", ("kind", "currency"), query
    )


FIGURES: Sequence[Callable[[Session], Families]] = (operations, workloads, nodes, findings, debts)
"""Asked for at every scrape."""

SLOW_FIGURES: Mapping[Callable[[Session], Families], float] = MappingProxyType({ledger: 60.0})
"""Asked for at most once in so many seconds."""


def _single(name: str, text: str, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))


def _grouped(session: Session, name: str, text: str, labels: Sequence[str], query: Executable) -> GaugeMetricFamily:
    """A family of a query whose last column is the value and whose others are the labels."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for *named, value in session.execute(query):
        family.add_metric([str(label) for label in named], float(value))
    return family
