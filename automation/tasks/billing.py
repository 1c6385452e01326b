"""Billing's jobs."""

from datetime import timedelta
from uuid import UUID

import structlog

from api.errors import PaymentsUnavailable
from automation.services import WorkerServices

_LOG = structlog.get_logger(__name__)


def apply_stripe_event(services: WorkerServices, event_id: str) -> None:
    """Apply a stored event; if Stripe does not answer, the sweep comes back to it."""
    try:
        services.billing.apply_event(event_id)
    except PaymentsUnavailable:
        _LOG.warning("stripe_unreachable", stripe_event=event_id)


def reconcile_payments(services: WorkerServices) -> None:
    """Ask Stripe about unpaid orders: finds payments whose webhook never came, and pages that have expired."""
    age = timedelta(seconds=services.settings.recheck_payment_seconds)
    for order_id in services.billing.unpaid_orders(age):
        _check(services, order_id)


def pay_refunds(services: WorkerServices) -> None:
    """Pay what is owed back."""
    services.billing.pay_refunds()


def _check(services: WorkerServices, order_id: UUID) -> None:
    try:
        services.billing.check_order(order_id)
    except PaymentsUnavailable:
        _LOG.warning("stripe_unreachable", order=str(order_id))
