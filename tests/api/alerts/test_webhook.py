"""Alertmanager's webhook: what fires is one open alert for staff, what is resolved is over."""

from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.auth.models import Role
from api.db.session import Database
from api.settings import Settings
from tests.fixtures.api import Api, run_api
from tests.races import at_once

TOKEN, OLDER = "a token for alertmanager", "the one before"
RUNBOOK = "https://docs.slipway.example/runbooks/host-down.md"


@pytest.fixture
def watched(settings: Settings, database: Database) -> Iterator[Api]:
    """Return an API that knows Alertmanager's tokens."""
    tokens = SecretStr(f"{TOKEN}, {OLDER}")
    with run_api(settings.model_copy(update={"alertmanager_tokens": tokens}), database) as running:
        yield running


def alert(status: str = "firing", host: str | None = "game-1", **annotations: str) -> dict[str, Any]:
    """Return an alert as Alertmanager sends it; its fingerprint follows from its labels."""
    labels = {"alertname": "HostDown", "severity": "critical", **({"host": host} if host else {})}
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": f"{host} does not answer", "runbook_url": RUNBOOK, **annotations},
        "startsAt": "2026-11-28T07:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://10.10.2.11:9090/graph?g0.expr=up",
        "fingerprint": f"{hash(str(labels)) & 0xFFFF_FFFF_FFFF_FFFF:016x}",
    }


def tell(api: Api, *alerts: dict[str, Any], token: str | None = TOKEN) -> httpx.Response:
    """Post a notification."""
    headers = {"Authorization": f"Bearer {token}".strip()} if token is not None else {}
    body = {
        "version": "4",
        "groupKey": '{}/{severity=~"critical"}:{alertname="HostDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "slipway",
        "groupLabels": {"alertname": "HostDown"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://10.10.2.11:9093",
        "alerts": list(alerts),
    }
    return api.client().post("/v1/alertmanager/webhook", json=body, headers=headers)


def seen(api: Api, *, resolved: bool = False) -> list[dict[str, Any]]:
    """Return what staff see, newest first."""
    query = {"kind": "monitoring", "resolved": str(resolved).lower()}
    answer = api.staff(Role.SUPPORT).http.get("/v1/admin/alerts", params=query)
    found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return found


def test_what_fires_is_one_open_alert_with_its_runbook(watched: Api) -> None:
    """However often it is told; each other thing has its own."""
    for _ in range(3):
        assert tell(watched, alert()).status_code == HTTPStatus.NO_CONTENT
    tell(watched, alert(host="bot-1"), alert(host=None))

    found = {item["message"]: item for item in seen(watched)}
    game = found[f"critical: game-1 does not answer (runbook: {RUNBOOK})"]
    assert len(found) == 3
    assert (game["kind"], game["subject_type"], game["sightings"]) == ("monitoring", "host", 3)
    assert game["subject_id"].startswith("HostDown/")
    assert sorted(item["subject_type"] for item in found.values()) == ["host", "host", "service"]


def test_what_is_resolved_is_over_and_may_come_again(watched: Api) -> None:
    """Told twice, or told of what was never open, it changes nothing."""
    tell(watched, alert("resolved"))
    assert seen(watched, resolved=True) == []
    tell(watched, alert(), alert(host="bot-1"))
    for _ in range(2):
        tell(watched, alert("resolved"), alert(host="bot-1"))
    assert [item["message"].split()[1] for item in seen(watched)] == ["bot-1"]
    tell(watched, alert())
    assert len(seen(watched, resolved=True)) == 3


def test_a_measured_value_takes_no_acknowledgement_back(watched: Api) -> None:
    """Only the summary is shown: the description, which holds the value, changes with each message."""
    tell(watched, alert(description="5% is left"))
    (first,) = seen(watched)
    operator = watched.staff(Role.OPERATOR)
    operator.http.post(f"/v1/admin/alerts/{first['id']}/acknowledge").raise_for_status()
    tell(watched, alert(description="4% is left"))

    (after,) = seen(watched)
    assert (after["acknowledged_by"], after["sightings"]) == (str(operator.id), 2)


def test_staff_see_it_on_their_page(watched: Api) -> None:
    """With the words of the rule and the way to the runbook, and nothing of it is markup."""
    tell(watched, alert(summary="<b>game-1</b> does not answer"))
    page = watched.staff(Role.SUPPORT).http.get("/admin/alerts").raise_for_status().text

    assert "&lt;b&gt;game-1&lt;/b&gt; does not answer" in page
    assert RUNBOOK in page


@pytest.mark.parametrize("token", [None, "", "made up", f"{TOKEN}, {OLDER}", f"{TOKEN}x"])
def test_strangers_are_refused(watched: Api, token: str | None) -> None:
    """And nothing of what they said is kept."""
    refused = tell(watched, alert(), token=token)
    assert (refused.status_code, refused.json()["code"]) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    assert seen(watched) == []


def test_both_tokens_are_good_while_one_is_rolled(watched: Api) -> None:
    """As with Stripe's secrets."""
    assert tell(watched, alert(), token=OLDER).is_success
    assert tell(watched, alert(), token=TOKEN).is_success


def test_without_a_token_in_the_settings_nobody_may(api: Api) -> None:
    """Not even with an empty one."""
    assert [tell(api, alert(), token=token).status_code for token in (None, "", "None", TOKEN)] == [401] * 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alerts": "none"},
        {"alerts": [{**alert(), "fingerprint": "x'; DROP TABLE alerts"}]},
        {"alerts": [{**alert(), "status": "perhaps"}]},
        {"alerts": [alert(), {**alert(host="bot-1"), "labels": {"host": ["a", "list"]}}]},
    ],
)
def test_what_is_no_notification_is_refused_whole(watched: Api, body: dict[str, Any]) -> None:
    """A good alert beside a bad one is not taken over: Alertmanager will say it again."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    refused = watched.client().post("/v1/alertmanager/webhook", json=body, headers=headers)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert seen(watched) == []


def test_odd_texts_are_kept_short_and_do_no_harm(watched: Api) -> None:
    """A zero byte, a page of text, a link that is none."""
    odd = alert(summary="a\0b" + "x" * 10_000, runbook_url="javascript:alert(1)")
    assert tell(watched, odd).is_success
    (found,) = seen(watched)
    assert found["message"].startswith("critical: abx")
    assert len(found["message"]) < 600
    assert "javascript" not in found["message"]


def test_notifications_at_once_in_any_order_do_not_lock_each_other_out(watched: Api) -> None:
    """Two Alertmanagers of a pair tell the same."""
    many = [alert(host=f"game-{number}") for number in range(40)]
    at_once([partial(tell, watched, *(many if turn % 2 else reversed(many))) for turn in range(6)])
    assert {item["sightings"] for item in seen(watched)} == {6}
