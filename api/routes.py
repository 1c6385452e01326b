"""All routes, in one place. A new package is added here and nowhere else."""

from fastapi import APIRouter

from api.alerts import endpoints as alerts
from api.alerts import webhook as alertmanager
from api.auth import endpoints as auth
from api.billing import endpoints as billing
from api.catalogue import endpoints as catalogue
from api.drift import endpoints as drift
from api.inventory import endpoints as inventory
from api.machines import endpoints as machines
from api.machines import engine_endpoints as metal
from api.operations import endpoints as operations
from api.orders import endpoints as orders
from api.plans import endpoints as plans
from api.platform import endpoints as platform
from api.policy import endpoints as policy
from api.quotes import endpoints as quotes
from api.workloads import endpoints as workloads
from api.workloads import machine_endpoints as own_machines

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    catalogue.router,
    quotes.router,
    orders.router,
    workloads.router,
    own_machines.router,
    operations.router,
    plans.router,
    platform.router,
    alerts.router,
    policy.router,
    drift.router,
    inventory.router,
    machines.router,
)
"""Served under ``/v1``; each request is counted against its caller's rate limit."""

UNCOUNTED_ROUTERS: tuple[APIRouter, ...] = (billing.router, alertmanager.router, metal.router)
"""Served under ``/v1`` without a rate limit: webhooks and engines, who prove themselves and come in bursts."""
