"""Who may ask for which run."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, update
from uuid_utils.compat import uuid7

from api.auth.errors import RoleRequired
from api.auth.models import Role
from api.errors import Conflict, InvalidInput
from api.inventory.models import Node, NodeState
from api.inventory.platform_models import PlatformStack
from api.platform.errors import CustomersOnStack, NotConfirmed, RunActive
from api.platform.models import RunAction, RunStatus
from api.platform.repository import known_stacks
from api.platform.service import PlatformService
from components.specs.platform import PlatformKind
from tests.fixtures.platform import LIFETIME_SECONDS, SPEC, STACK, PlatformRig
from tests.fixtures.shop import Shop
from tests.fixtures.trail import actions
from tests.races import at_once


def test_a_run_is_an_administrators_to_ask_for(platform_rig: PlatformRig) -> None:
    """An operator may not change the provider's own estate."""
    with pytest.raises(RoleRequired):
        platform_rig.request(person=platform_rig.admin(Role.OPERATOR))


def test_a_stack_has_one_run_at_a_time(platform_rig: PlatformRig) -> None:
    """Of many that are asked for at once, one is made; the others are told which."""
    admins = [platform_rig.admin() for _ in range(6)]
    answers = at_once([partial(platform_rig.request, person=admin) for admin in admins])
    refused = [answer for answer in answers if isinstance(answer, RunActive)]
    (made,) = [answer for answer in answers if not isinstance(answer, Exception)]

    assert len(refused) == 5
    assert {error.fields["run_id"] for error in refused} == {str(made)}


def test_another_stack_is_run_meanwhile(platform_rig: PlatformRig) -> None:
    """The rule is for one stack."""
    platform_rig.request()
    platform_rig.request(stack="prod-network", confirmation="prod-network")


def test_a_destroy_repeats_the_stacks_name(platform_rig: PlatformRig) -> None:
    """A slip of the mouse removes nothing."""
    with pytest.raises(NotConfirmed, match="lab-network"):
        platform_rig.request(RunAction.DESTROY, confirmation="lab")


def test_a_stack_that_nobody_knows_needs_a_configuration(platform_rig: PlatformRig) -> None:
    """The last known one is taken where there is one."""
    with pytest.raises(InvalidInput, match="give its configuration"):
        platform_rig.request(spec=None)
    first = platform_rig.waiting(RunAction.PREVIEW)
    second = platform_rig.request(spec=None)

    assert platform_rig.row(second).spec == platform_rig.row(first).spec


def test_a_waiting_run_is_cancelled_at_once(platform_rig: PlatformRig) -> None:
    """Its plan is void, and the stack is free for the next one."""
    run_id, admin = platform_rig.waiting(), platform_rig.admin()
    platform_rig.change(lambda session: PlatformService(session, 1).cancel(run_id, admin, "not today"))
    assert platform_rig.row(run_id).status is RunStatus.CANCELLED
    assert platform_rig.plan(run_id).closed_reason == "it was cancelled: not today"
    with pytest.raises(Conflict, match="nothing left to cancel"):
        platform_rig.change(lambda session: PlatformService(session, 1).cancel(run_id, admin, "again"))
    platform_rig.request()


def test_a_run_that_waits_beyond_its_time_ends(platform_rig: PlatformRig) -> None:
    """It says what it waited for."""
    run_id = platform_rig.request()
    platform_rig.set(run_id, deadline_at=func.now(), waits_for="somebody at a terminal")
    found = platform_rig.change(lambda session: PlatformService(session, 1).overdue())
    platform_rig.change(lambda session: PlatformService(session, 1).give_up(run_id))

    assert found == [run_id]
    assert platform_rig.row(run_id).error_code == "deadline"
    assert "somebody at a terminal" in (platform_rig.row(run_id).error_detail or "")


def test_every_step_is_in_the_audit_trail(platform_rig: PlatformRig) -> None:
    """Asked, planned, approved, begun, ended."""
    platform_rig.brought_up()
    told = [action for action in actions(platform_rig.database) if action.startswith("platform")]

    assert told == [
        "platform_run.request",
        "platform_plan.status",
        "platform_plan.approve",
        "platform_plan.status",
        "platform_plan.status",
        "platform_run.end",
    ]


def test_stacks_are_listed_in_the_order_of_raising_an_estate(platform_rig: PlatformRig) -> None:
    """Reported ones and those that were only run from here."""
    for stack in ("lab-edge", "lab-network", "prod-network"):
        platform_rig.request(RunAction.PREVIEW, stack=stack)
    platform_rig.change(lambda session: session.add(_report("lab-nodes", PlatformKind.NODES)))
    names = [stack.name for stack in platform_rig.change(known_stacks)]

    assert names == ["lab-network", "lab-nodes", "lab-edge", "prod-network"]


@pytest.fixture
def occupied(platform_rig: PlatformRig, shop: Shop) -> str:
    """Return the name of a node with a customer's workload, which the stack ``lab-nodes`` has reported."""
    order_id = shop.place_paid(name="craft")
    node_id = shop.workload(order_id).node_id
    name = shop.change(lambda session: session.get_one(Node, node_id)).name
    spec = {"nodes": [{"name": name}, {"name": "empty-1"}]}
    report = _report("lab-nodes", PlatformKind.NODES, spec=spec, nodes=[{"name": name}])
    platform_rig.change(lambda session: session.add(report))
    return name


def test_a_destroy_lists_the_customers_that_are_in_its_way(platform_rig: PlatformRig, occupied: str) -> None:
    """Nothing is asked of the engine."""
    with pytest.raises(CustomersOnStack, match=f"craft on node {occupied}"):
        platform_rig.request(RunAction.DESTROY, stack="lab-nodes", confirmation="lab-nodes", spec=None)


def test_a_configuration_that_names_a_node_no_more_is_a_removal(platform_rig: PlatformRig, occupied: str) -> None:
    """Leaving out a node with customers is refused; leaving out an empty one is not."""
    with pytest.raises(CustomersOnStack):
        platform_rig.request(stack="lab-nodes", spec={"nodes": [{"name": "empty-1"}]})
    platform_rig.request(stack="lab-nodes", spec={"nodes": [{"name": occupied}]})


def test_a_node_is_drained_before_it_is_removed(platform_rig: PlatformRig, shop: Shop) -> None:
    """An order could land on it between the look and the removal."""
    names = shop.change(lambda session: [node.name for node in session.query(Node)])
    report = _report("lab-nodes", PlatformKind.NODES, nodes=[{"name": name} for name in names])
    platform_rig.change(lambda session: session.add(report))
    wish: dict[str, Any] = {"stack": "lab-nodes", "confirmation": "lab-nodes", "spec": None}
    with pytest.raises(CustomersOnStack, match="drain it"):
        platform_rig.request(RunAction.DESTROY, **wish)
    shop.change(lambda session: session.execute(update(Node).values(state=NodeState.DRAINING)))

    platform_rig.request(RunAction.DESTROY, **wish)


def test_customers_who_come_while_a_removal_waits_stop_it(platform_rig: PlatformRig, shop: Shop) -> None:
    """The approval looks again."""
    platform_rig.brought_up(stack="lab-nodes", confirmation="lab-nodes")
    run_id = platform_rig.waiting(RunAction.DESTROY, stack="lab-nodes", confirmation="lab-nodes")
    node_id = shop.workload(shop.place_paid(name="late")).node_id
    name = shop.change(lambda session: session.get_one(Node, node_id)).name
    report = _report("lab-nodes", PlatformKind.NODES, nodes=[{"name": name}])
    platform_rig.change(lambda session: session.add(report))
    with pytest.raises(CustomersOnStack, match="late on node"):
        platform_rig.approve(run_id)

    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL


def test_the_lifetime_is_the_runs(platform_rig: PlatformRig) -> None:
    """By the database's clock."""
    row = platform_rig.row(platform_rig.request())

    assert (row.deadline_at - row.created_at).total_seconds() == LIFETIME_SECONDS
    assert (row.stack, row.spec) == (STACK, SPEC)


def _report(stack: str, kind: PlatformKind, **report: Any) -> PlatformStack:
    return PlatformStack(id=uuid7(), stack=stack, kind=kind, report=report, digest="0")
