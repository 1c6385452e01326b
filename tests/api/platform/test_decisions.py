"""Administrators' word on platform plans."""

import pytest
from sqlalchemy import func, update

from api.auth.errors import RoleRequired
from api.auth.models import Role
from api.jobs import Job
from api.plans.errors import AlreadyDecided, NoApprovalNeeded, OwnPlan, PlanExpired, PlanMoved, PlanTampered
from api.plans.models import PlanStatus
from api.platform.decisions import expired_platform_plans
from api.platform.models import PlatformPlan, RunAction, RunStatus
from api.policy.settings import PolicySettings, set_policy
from tests.fixtures.platform import SPEC, STACK, PlatformRig


def test_an_administrator_other_than_who_asked_approves(platform_rig: PlatformRig) -> None:
    """Two people look at each change of the provider's own estate."""
    asker = platform_rig.admin()
    run_id = platform_rig.request(person=asker)
    platform_rig.run(run_id)
    with pytest.raises(OwnPlan):
        platform_rig.approve(run_id, asker)
    with pytest.raises(RoleRequired):
        platform_rig.approve(run_id, platform_rig.admin(Role.OPERATOR))

    assert platform_rig.approve(run_id)
    assert platform_rig.row(run_id).status is RunStatus.QUEUED
    assert platform_rig.jobs.of(Job.RUN_PLATFORM) == [(run_id,)]


def test_policy_may_let_one_person_do_it_all(platform_rig: PlatformRig) -> None:
    """A provider with one administrator is not locked out; a word of approval is asked for all the same."""
    asker = platform_rig.admin()
    alone = PolicySettings(platform_approvals_by_others=0)
    platform_rig.change(lambda session: set_policy(session, asker, alone, "I am alone", seen=0))
    run_id = platform_rig.request(person=asker)
    platform_rig.run(run_id)
    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert platform_rig.approve(run_id, asker)
    platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED


def test_a_policy_that_became_stricter_counts(platform_rig: PlatformRig) -> None:
    """Approvals are counted when the plan is applied, by what is in force then."""
    asker = platform_rig.admin()
    alone = PolicySettings(platform_approvals_by_others=0)
    platform_rig.change(lambda session: set_policy(session, asker, alone, "alone", seen=0))
    run_id = platform_rig.request(person=asker)
    platform_rig.run(run_id)
    platform_rig.approve(run_id, asker)
    platform_rig.change(lambda session: set_policy(session, asker, PolicySettings(), "two of us", seen=1))
    platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert platform_rig.engine.runs == []


def test_a_state_that_moved_voids_the_plan(platform_rig: PlatformRig) -> None:
    """409, and a fresh preview is made, for which the old approval does not count."""
    platform_rig.brought_up()
    run_id = platform_rig.waiting(spec={**SPEC, "cidr": "10.30.0.0/16"})
    platform_rig.states.edit(STACK, by="somebody at a terminal")
    with pytest.raises(PlanMoved, match="the stack's state has changed"):
        platform_rig.approve(run_id)
    assert platform_rig.row(run_id).status is RunStatus.QUEUED
    platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert len(platform_rig.plans(run_id)) == 2


def test_a_wish_that_was_edited_voids_the_plan(platform_rig: PlatformRig) -> None:
    """The hash is over the configuration, too."""
    run_id = platform_rig.waiting()
    platform_rig.set(run_id, spec={**SPEC, "cidr": "0.0.0.0/0"})
    with pytest.raises(PlanTampered):
        platform_rig.approve(run_id)


def test_only_what_was_seen_is_approved(platform_rig: PlatformRig) -> None:
    """Another hash is another plan."""
    plan = platform_rig.plan(platform_rig.waiting())
    with pytest.raises(PlanMoved, match="not the plan that you were shown"):
        platform_rig.decisions.approve(plan.id, platform_rig.admin(), "0" * 64, "looks right")


def test_a_rejection_ends_the_run(platform_rig: PlatformRig) -> None:
    """Even after the approval, as long as no worker has begun."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.decisions.reject(platform_rig.plan(run_id).id, platform_rig.admin(), "wrong network")
    row = platform_rig.row(run_id)

    assert (row.status, row.error_detail) == (RunStatus.REJECTED, "the plan was rejected: wrong network")
    assert platform_rig.plan(run_id).status is PlanStatus.REJECTED
    with pytest.raises(AlreadyDecided):
        platform_rig.approve(run_id)
    assert platform_rig.engine.runs == []


def test_a_plan_that_nobody_looks_at_expires(platform_rig: PlatformRig) -> None:
    """By the sweep, or when somebody comes too late."""
    run_id = platform_rig.waiting()
    late = update(PlatformPlan).values(expires_at=func.now())
    platform_rig.change(lambda session: session.execute(late))
    assert platform_rig.change(expired_platform_plans) == [platform_rig.plan(run_id).id]
    platform_rig.decisions.expire(platform_rig.plan(run_id).id)

    assert platform_rig.row(run_id).status is RunStatus.EXPIRED
    with pytest.raises(PlanExpired):
        platform_rig.approve(run_id)


def test_a_look_needs_nobodys_word(platform_rig: PlatformRig) -> None:
    """There is nothing to decide."""
    run_id = platform_rig.waiting(RunAction.PREVIEW)
    with pytest.raises((NoApprovalNeeded, PlanMoved)):
        platform_rig.approve(run_id)
