"""Alerts: staff look at them, and operators say that they are at it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import select

from api.alerts.models import Alert, AlertKind
from api.alerts.schemas import AlertView
from api.alerts.service import acknowledge
from api.auth.models import Role
from api.auth.principal import Principal
from api.auth.staff import require_role
from api.pages import Page, PageDep, fetch_page
from api.runtime import SessionDep

router = APIRouter(prefix="/admin/alerts", tags=["alerts"])
Viewer = Annotated[Principal, require_role(Role.SUPPORT)]
Operator = Annotated[Principal, require_role(Role.OPERATOR)]


@router.get("")
def list_alerts(
    _viewer: Viewer,
    session: SessionDep,
    page: PageDep,
    kind: Annotated[AlertKind | None, Query(description="only alerts of this kind")] = None,
    *,
    resolved: Annotated[bool, Query(description="those that are over too")] = False,
) -> Page[AlertView]:
    """List alerts that are open, newest first."""
    query = select(Alert)
    if kind is not None:
        query = query.where(Alert.kind == kind)
    if not resolved:
        query = query.where(Alert.resolved_at.is_(None))
    return fetch_page(session, query, Alert.id, page, AlertView.model_validate)


@router.post("/{alert_id}/acknowledge")
def acknowledge_alert(alert_id: UUID, person: Operator, session: SessionDep) -> AlertView:
    """Say that you are looking after it; it stays open until its cause is gone."""
    return AlertView.model_validate(acknowledge(session, alert_id, person))
