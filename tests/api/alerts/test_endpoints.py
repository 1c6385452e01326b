"""Alerts over HTTP: support sees them, an operator says that they are at it."""

from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from api.alerts.models import AlertKind
from api.alerts.service import raise_alert, resolve
from api.auth.models import Role
from tests.fixtures.api import Api

OPEN, OVER = uuid4(), uuid4()


@pytest.fixture
def alarmed(api: Api) -> Api:
    """Return an API with an open alert and one that is over."""
    with api.runtime.database.transaction() as transaction:
        session = transaction.session
        raise_alert(session, AlertKind.NEEDS_ATTENTION, "workload", OPEN, "it is half-way")
        raise_alert(session, AlertKind.DRIFT, "workload", OVER, "it is stopped")
        resolve(session, AlertKind.DRIFT, OVER)
    return api


def test_support_sees_open_alerts_and_those_that_are_over_if_asked(alarmed: Api) -> None:
    """By kind, too."""
    http = alarmed.staff(Role.SUPPORT).http

    def listed(**query: str) -> list[str]:
        items = http.get("/v1/admin/alerts", params=query).raise_for_status().json()["items"]
        return [item["subject_id"] for item in items]

    assert listed() == [str(OPEN)]
    assert listed(resolved="true") == [str(OVER), str(OPEN)]
    assert listed(resolved="true", kind="drift") == [str(OVER)]


def test_an_operator_acknowledges_and_support_may_not(alarmed: Api) -> None:
    """It stays open: only the end of its cause resolves it."""
    support, operator = alarmed.staff(Role.SUPPORT), alarmed.staff(Role.OPERATOR)
    alert_id = UUID(support.http.get("/v1/admin/alerts").json()["items"][0]["id"])
    refused = support.http.post(f"/v1/admin/alerts/{alert_id}/acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (HTTPStatus.FORBIDDEN, "role_required")
    answer = operator.http.post(f"/v1/admin/alerts/{alert_id}/acknowledge").raise_for_status().json()
    assert (answer["acknowledged_by"], answer["resolved_at"]) == (str(operator.id), None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_customers_have_no_business_here(alarmed: Api, method: str) -> None:
    """Not even to look."""
    path = "/v1/admin/alerts" if method == "GET" else f"/v1/admin/alerts/{uuid4()}/acknowledge"
    assert alarmed.customer().http.request(method, path).status_code == HTTPStatus.FORBIDDEN
