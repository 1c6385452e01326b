"""Staff's word on plans, from a terminal."""

import pytest

from api.auth.models import Role
from api.operations.models import Operation, OperationStatus
from api.plans.models import Plan, PlanStatus
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.plans import PlanDesk


@pytest.fixture
def plan(plan_desk: PlanDesk, api: Api) -> Plan:
    """Return a plan that waits; the API sees the states that the worker sees."""
    _, plan = plan_desk.waiting()
    stack = f"w-{plan.workload_id}"
    deployment = plan_desk.rig.states.deployment(stack)
    if deployment is not None:
        api.states.deployments[stack] = deployment
    return plan


@pytest.fixture
def operator(at_api: Terminal, api: Api) -> Terminal:
    """Return a terminal at which an operator is logged in."""
    hired = api.staff(Role.OPERATOR)
    at_api.environment["SLIPWAY_PASSWORD"] = PASSWORD
    at_api.run("login", "--email", hired.email)
    return at_api


def test_a_plan_is_found_shown_and_approved(operator: Terminal, plan: Plan, plan_desk: PlanDesk) -> None:
    """The list says what waits and why, the plan is a diff, and the word is asked for."""
    assert "it is dear" in operator.run("plans", "list").output
    shown = operator.run("plans", "show", str(plan.id)).output
    assert plan.hash in shown
    assert "+ create" in shown
    approved = operator.run("plans", "approve", str(plan.id), typed="y\n").output
    assert "on its way" in approved
    assert plan_desk.rig.desk.shop.all(Operation)[0].status is OperationStatus.QUEUED
    assert "Nothing waits" in operator.run("plans", "list").output
    assert str(plan.id) in operator.run("plans", "list", "--all").output


def test_a_plan_is_rejected_with_a_reason(operator: Terminal, plan: Plan, plan_desk: PlanDesk) -> None:
    """The reason is asked for."""
    operator.run("plans", "reject", str(plan.id), typed="looks like abuse\n")
    assert plan_desk.rig.desk.shop.all(Plan)[0].status is PlanStatus.REJECTED


def test_who_does_not_say_yes_has_approved_nothing(operator: Terminal, plan: Plan, plan_desk: PlanDesk) -> None:
    """A plan is looked at before it is approved."""
    operator.run("plans", "approve", str(plan.id), typed="n\n", exit_code=1)
    assert plan_desk.rig.desk.shop.all(Plan)[0].status is PlanStatus.CURRENT


def test_the_beginning_of_an_id_must_name_one_plan(operator: Terminal, plan: Plan) -> None:
    """Else the answer says where to look."""
    assert str(plan.id) in operator.run("plans", "show", str(plan.id)[:-4], "--json").output
    assert "slipway plans list" in operator.run("plans", "show", "zzz", exit_code=1).output
