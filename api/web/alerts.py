"""Alerts: what a person has to look at."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.alerts.models import Alert
from api.alerts.service import acknowledge
from api.auth.models import User
from api.runtime import RuntimeDep, SessionDep
from api.web.flash import Flash
from api.web.navigation import page_of
from api.web.operations import Choice
from api.web.paging import PlaceDep, cut
from api.web.rendering import done, page
from api.web.visitor import Operator, Support

router = APIRouter()
_STATES = ("open", "resolved", "all")


@router.get("/admin/alerts")
def list_alerts(
    request: Request, visitor: Support, session: SessionDep, place: PlaceDep, state: Choice = "open"
) -> Response:
    """List alerts, the newest first."""
    query = select(Alert, User.email.label("email")).outerjoin(User, User.id == Alert.acknowledged_by)
    if state == "open":
        query = query.where(Alert.resolved_at.is_(None))
    elif state == "resolved":
        query = query.where(Alert.resolved_at.is_not(None))
    found = cut(session, query, Alert.id, place)
    links = {row.Alert.id: page_of(row.Alert.subject_type, row.Alert.subject_id) for row in found.rows}
    return page(request, visitor, "alerts.html", slice=found, links=links, states=_STATES, chosen=state)


@router.post("/admin/alerts/{alert_id}/acknowledge")
def acknowledge_alert(alert_id: UUID, visitor: Operator, runtime: RuntimeDep, session: SessionDep) -> Response:
    """Say that somebody is at it; the alert stays open until its cause is gone."""
    acknowledge(session, alert_id, visitor.principal)
    return done(runtime, visitor, "/admin/alerts", Flash("good", "Acknowledged: you are at it."))
