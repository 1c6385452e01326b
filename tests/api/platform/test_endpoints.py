"""Platform stacks by the API."""

import json
from uuid import UUID

import httpx
from sqlalchemy import update

from api.auth.models import Role
from api.db.session import Database
from api.jobs import Job
from api.platform.models import PlatformRun, RunStatus
from api.settings import Settings
from tests.fixtures.api import Api, run_api
from tests.fixtures.platform_api import YAML, plan_by_worker

RUNS = "/v1/admin/platform/stacks/lab-network/runs"


def _ask(client: httpx.Client, **body: object) -> httpx.Response:
    return client.post(RUNS, json={"action": "up", "reason": "a new network", "configuration": YAML, **body})


def test_from_the_request_to_the_approval(platform_api: Api) -> None:
    """One administrator asks, a worker plans, another one approves what was seen; each sees the same plan."""
    asker, other = platform_api.staff(Role.ADMIN), platform_api.staff(Role.ADMIN)
    made = _ask(asker.http).raise_for_status().json()
    run_id = UUID(made["id"])
    assert platform_api.jobs.of(Job.RUN_PLATFORM) == [(run_id,)]
    plan_by_worker(platform_api, run_id)

    shown = other.http.get(f"/v1/admin/platform/runs/{run_id}").raise_for_status().json()
    assert shown["plan"]["steps"][2]["inputs"]["secret"] == "[secret]"
    body = {"hash": shown["plan"]["hash"], "reason": "looked at it"}
    approve = f"/v1/admin/platform/plans/{shown['plan']['id']}/approve"
    assert asker.http.post(approve, json=body).json()["code"] == "own_plan"
    assert other.http.post(approve, json=body).raise_for_status().json() == {"is_final": True}
    assert other.http.get(f"/v1/admin/platform/runs/{run_id}").json()["status"] == "queued"


def test_a_wrong_configuration_is_told_by_line_and_key(platform_api: Api) -> None:
    """Before anything is stored."""
    answer = _ask(platform_api.staff(Role.ADMIN).http, configuration="cidr: 10.0.0.0/8\nsubnets: [{}]\nwhat: 1\n")

    assert answer.status_code == 422
    assert answer.json()["code"] == "configuration_wrong"
    assert [problem.partition(":")[0] for problem in answer.json()["problems"]] == ["line 2", "line 3"]
    assert platform_api.jobs.sent == []


def test_what_is_no_yaml_is_refused(platform_api: Api) -> None:
    """With the line; and so is YAML that could grow without bound."""
    client = platform_api.staff(Role.ADMIN).http
    broken = _ask(client, configuration="cidr: [1\nx: 2").json()
    aliased = _ask(client, configuration="a: &a [1]\nb: *a").json()

    assert "line 2" in broken["detail"]
    assert "aliases" in aliased["detail"]


def test_a_second_run_is_refused_with_the_first_ones_id(platform_api: Api) -> None:
    """409."""
    client = platform_api.staff(Role.ADMIN).http
    first = _ask(client).json()
    second = _ask(client)

    assert (second.status_code, second.json()["run_id"]) == (409, first["id"])


def test_without_credentials_the_answer_says_what_to_set(settings: Settings, database: Database) -> None:
    """Nobody has to guess."""
    with run_api(settings.model_copy(update={"platform_environment_file": None}), database) as api:
        client = api.staff(Role.ADMIN).http
        listed = client.get("/v1/admin/platform/stacks").json()
        answer = client.post(RUNS, json={"action": "preview", "reason": "to see"})

    assert not listed["is_set_up"]
    assert answer.json()["code"] == "platform_runs_off"
    assert "SLIPWAY_PLATFORM_ENVIRONMENT_FILE" in answer.json()["detail"]


def test_a_stack_is_shown_with_its_configuration_as_yaml(platform_api: Api) -> None:
    """Without what is as it is by default."""
    client = platform_api.staff(Role.ADMIN).http
    _ask(client)
    shown = client.get("/v1/admin/platform/stacks/lab-network").raise_for_status().json()

    assert shown["yaml"] == "cidr: 10.10.0.0/16\nsubnets:\n- control\n"
    assert shown["spec"]["tells_inventory"] is True
    assert client.get("/v1/admin/platform/stacks/lab-edge").status_code == 404
    assert [stack["name"] for stack in client.get("/v1/admin/platform/stacks").json()["stacks"]] == ["lab-network"]


def test_a_log_is_streamed_to_its_end(platform_api: Api) -> None:
    """Lines, then the run as it ended."""
    client = platform_api.staff(Role.ADMIN).http
    run_id = UUID(_ask(client).json()["id"])
    plan_by_worker(platform_api, run_id)
    with platform_api.runtime.database.transaction() as transaction:
        transaction.session.execute(update(PlatformRun).values(status=RunStatus.SUCCEEDED))
    text = client.get(f"/v1/admin/platform/runs/{run_id}/events").text
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]

    assert events[0]["message"] == "Bringing lab-network up."
    assert events[-1]["status"] == "succeeded"


def test_a_run_is_rejected_or_cancelled_with_a_reason(platform_api: Api) -> None:
    """Both end it."""
    client = platform_api.staff(Role.ADMIN).http
    run_id = UUID(_ask(client).json()["id"])
    plan_by_worker(platform_api, run_id)
    plan_id = client.get(f"/v1/admin/platform/runs/{run_id}").json()["plan"]["id"]
    client.post(f"/v1/admin/platform/plans/{plan_id}/reject", json={"reason": "wrong site"}).raise_for_status()
    assert client.get(f"/v1/admin/platform/runs/{run_id}").json()["status"] == "rejected"

    again = _ask(client).json()["id"]
    client.post(f"/v1/admin/platform/runs/{again}/cancel", json={"reason": "not now"}).raise_for_status()
    assert client.get(f"/v1/admin/platform/runs/{again}").json()["status"] == "cancelled"
    assert len(client.get(RUNS).json()["items"]) == 2
