"""Stripe's webhook. Reads the raw body: a re-serialised one no longer fits its signature."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response, status

from api.billing.inbox import store, verify
from api.jobs import Job
from api.runtime import RuntimeDep

router = APIRouter(prefix="/stripe", tags=["stripe"])


async def _raw_body(request: Request) -> bytes:
    return await request.body()


@router.post("/webhook", status_code=status.HTTP_202_ACCEPTED)
def receive(
    runtime: RuntimeDep,
    body: Annotated[bytes, Depends(_raw_body)],
    stripe_signature: Annotated[str | None, Header()] = None,
) -> Response:
    """Store a signed event; 202 says it is durable, not that it has been acted upon."""
    secrets = runtime.settings.stripe_webhook_secrets.get_secret_value()
    event = verify(body, stripe_signature, tuple(part.strip() for part in secrets.split(",") if part.strip()))
    with runtime.database.transaction() as transaction:
        is_due = store(transaction.session, event)
    if is_due:
        runtime.jobs.enqueue(Job.APPLY_STRIPE_EVENT, event["id"])
    return Response(status_code=status.HTTP_202_ACCEPTED)
