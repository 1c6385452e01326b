"""Plans over HTTP: staff see them, operators decide, and a refusal says why."""

from http import HTTPStatus

import pytest

from api.auth.models import Role
from api.operations.models import Operation, OperationStatus
from api.plans.models import Plan, PlanStatus
from tests.fixtures.api import Api
from tests.fixtures.plans import PlanDesk

BOT = {"product": "bot", "size": "nano", "template": "python-bot", "ssh_keys": ()}


@pytest.fixture
def waiting(api: Api, plan_desk: PlanDesk) -> Plan:
    """Return a plan that waits for an approval; the API sees the states that the worker sees."""
    _, plan = plan_desk.waiting()
    stack = f"w-{plan.workload_id}"
    deployment = plan_desk.rig.states.deployment(stack)
    if deployment is not None:
        api.states.deployments[stack] = deployment
    return plan


def test_support_sees_the_whole_plan(api: Api, waiting: Plan) -> None:
    """Steps, prices, policy results, versions and the hash that an approval names."""
    support = api.staff(Role.SUPPORT)
    listed = support.http.get("/v1/admin/plans", params={"status": "current"}).json()["items"]
    assert [item["id"] for item in listed] == [str(waiting.id)]
    shown = support.http.get(f"/v1/admin/plans/{waiting.id}").json()
    assert (shown["hash"], shown["price_before_cents"]) == (waiting.hash, 0)
    assert {step["op"] for step in shown["steps"]} == {"create"}
    assert shown["approval_reasons"] == ["it is dear"]


def test_an_operator_approves_what_they_saw(api: Api, waiting: Plan, plan_desk: PlanDesk) -> None:
    """The operation is on its way then."""
    operator = api.staff(Role.OPERATOR)
    answer = operator.http.post(
        f"/v1/admin/plans/{waiting.id}/approve", json={"hash": waiting.hash, "reason": "seen, fine"}
    )
    assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"is_final": True})
    statuses = [operation.status for operation in plan_desk.rig.desk.shop.all(Operation)]
    assert statuses == [OperationStatus.QUEUED]


def test_a_plan_that_moved_answers_409_and_makes_a_fresh_one(api: Api, waiting: Plan, plan_desk: PlanDesk) -> None:
    """The state was edited by hand between preview and approval."""
    api.states.deployments[f"w-{waiting.workload_id}"] = {"resources": [{"urn": "u", "type": "t", "id": "by hand"}]}
    answer = api.staff(Role.OPERATOR).http.post(
        f"/v1/admin/plans/{waiting.id}/approve", json={"hash": waiting.hash, "reason": ""}
    )
    assert (answer.status_code, answer.json()["code"]) == (HTTPStatus.CONFLICT, "plan_moved")
    assert plan_desk.rig.desk.shop.all(Plan)[0].status is PlanStatus.SUPERSEDED


def test_a_rejection_needs_a_reason(api: Api, waiting: Plan) -> None:
    """The owner of the workload reads it."""
    operator = api.staff(Role.OPERATOR)
    url = f"/v1/admin/plans/{waiting.id}/reject"
    assert operator.http.post(url, json={"reason": ""}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert operator.http.post(url, json={"reason": "looks like abuse"}).json() == {"is_final": True}


def test_support_does_not_decide(api: Api, waiting: Plan) -> None:
    """Seeing is one thing."""
    support = api.staff(Role.SUPPORT)
    body = {"hash": waiting.hash, "reason": ""}
    assert support.http.post(f"/v1/admin/plans/{waiting.id}/approve", json=body).status_code == HTTPStatus.FORBIDDEN


def test_a_customer_cancels_their_own_operation_and_nobody_elses(api: Api, plan_desk: PlanDesk) -> None:
    """A stranger is told that there is none."""
    customer, stranger = api.customer(), api.customer()
    order_id = plan_desk.rig.desk.shop.place_paid(customer.id, **BOT)
    url = f"/v1/operations/{plan_desk.rig.desk.latest(order_id).id}/cancel"
    assert stranger.http.post(url).status_code == HTTPStatus.NOT_FOUND
    answer = customer.http.post(url)
    assert (answer.status_code, answer.json()["status"]) == (HTTPStatus.ACCEPTED, "cancelled")
    assert customer.http.post(url).status_code == HTTPStatus.CONFLICT
