"""Alertmanager's webhook. Its sender is known by a token of the settings and belongs to no account."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response, status

from api.alerts.monitoring import Notification, apply_notification
from api.errors import Unauthenticated
from api.runtime import RuntimeDep, SessionDep

router = APIRouter(prefix="/alertmanager", tags=["alerts"])


def check_token(runtime: RuntimeDep, authorization: Annotated[str | None, Header()] = None) -> None:
    """Hold the bearer token against those of the settings, in a time that tells nothing about them.

    Raises:
        Unauthenticated: if it is none of them, or there are none: then nobody is let in.
    """
    tokens = runtime.settings.alertmanager_tokens
    scheme, _, given = (authorization or "").partition(" ")
    known = [part.strip() for part in tokens.get_secret_value().split(",") if part.strip()] if tokens else []
    matches = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in known]
    if scheme.lower() != "bearer" or not any(matches):
        raise Unauthenticated("send a token of SLIPWAY_ALERTMANAGER_TOKENS as 'Authorization: Bearer …'")


@router.post("/webhook", status_code=status.HTTP_204_NO_CONTENT, dependencies=[Depends(check_token)])
def receive_alerts(notification: Notification, session: SessionDep) -> Response:
    """Take over what fires and what is resolved; Alertmanager repeats what is not answered with 2xx."""
    apply_notification(session, notification)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
