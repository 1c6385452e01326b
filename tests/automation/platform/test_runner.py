"""A platform run from the request to the end, with a fake engine."""

from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import func, text

from api.errors import LeaseLost
from api.operations.events import LogLine
from api.plans.errors import PlanMoved
from api.plans.models import PlanStatus
from api.platform.models import RunAction, RunStatus
from api.state.store import StackLock
from automation.engine.contract import EngineOutcome, EngineResult
from automation.operations.fencing import HostFencing
from tests.fakes.engine import HOST
from tests.fixtures.platform import CANARY, SPEC, STACK, PlatformRig
from tests.races import at_once


def test_nothing_is_applied_before_an_administrator_approves(platform_rig: PlatformRig) -> None:
    """An update is previewed, waits, and is applied once another administrator has said so."""
    run_id = platform_rig.waiting()
    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert platform_rig.engine.runs == []

    assert platform_rig.approve(run_id)
    assert platform_rig.run(run_id)
    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert platform_rig.engine.stacks[STACK].spec == {"stack": STACK, "spec": SPEC}
    assert platform_rig.plan(run_id).status is PlanStatus.APPLIED
    assert platform_rig.log(run_id)[-1] == "Done."


def test_who_only_looks_changes_nothing_and_asks_nobody(platform_rig: PlatformRig) -> None:
    """A preview ends with its plan."""
    run_id = platform_rig.waiting(RunAction.PREVIEW)

    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert platform_rig.row(run_id).changes == {"create": 1}
    assert platform_rig.engine.runs == []
    assert platform_rig.plan(run_id).approvals_needed == 0


def test_a_look_for_drift_tells_what_the_world_has_changed(platform_rig: PlatformRig) -> None:
    """What somebody did at the provider's own pages shows as a plan, and nothing is changed."""
    platform_rig.brought_up()
    platform_rig.engine.drift(STACK, {"stack": STACK, "spec": {**SPEC, "cidr": "10.99.0.0/16"}})
    run_id = platform_rig.waiting(RunAction.REFRESH)

    assert platform_rig.row(run_id).changes == {"update": 1}
    assert "10.99.0.0/16" in str(platform_rig.plan(run_id).steps)


def test_a_look_for_drift_needs_a_stack(platform_rig: PlatformRig) -> None:
    """There is nothing to compare yet, and no stack is made for the sake of it."""
    run_id = platform_rig.waiting(RunAction.REFRESH)

    assert platform_rig.row(run_id).error_code == "no_stack"
    assert platform_rig.engine.previews == []


def test_an_update_that_changes_nothing_ends_without_a_word(platform_rig: PlatformRig) -> None:
    """Nobody has to approve that there is nothing to do."""
    platform_rig.brought_up()
    applied = len(platform_rig.engine.runs)
    run_id = platform_rig.waiting()

    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert len(platform_rig.engine.runs) == applied


def test_a_destroy_is_approved_like_an_update(platform_rig: PlatformRig) -> None:
    """And takes the stack away."""
    platform_rig.brought_up()
    run_id = platform_rig.waiting(RunAction.DESTROY)
    assert platform_rig.approve(run_id)
    assert platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert STACK not in platform_rig.engine.stacks


def test_a_state_that_moved_after_the_approval_is_noticed(platform_rig: PlatformRig) -> None:
    """The plan is made again before it is applied; another one needs an approval of its own."""
    platform_rig.brought_up()
    run_id = platform_rig.waiting(spec={**SPEC, "cidr": "10.20.0.0/16"})
    assert platform_rig.approve(run_id)
    platform_rig.states.edit(STACK, by="somebody at a terminal")
    assert platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert [plan.status for plan in platform_rig.plans(run_id)] == [PlanStatus.SUPERSEDED, PlanStatus.CURRENT]


def test_an_edited_plan_opens_no_gate(platform_rig: PlatformRig) -> None:
    """Rows are not believed: the steps must fit the hash that was approved."""
    run_id = platform_rig.waiting()
    assert platform_rig.approve(run_id)
    edit = text("UPDATE platform_plans SET steps = '[]'")
    platform_rig.change(lambda session: session.execute(edit))
    assert platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.AWAITING_APPROVAL
    assert platform_rig.engine.runs == []


def test_a_worker_that_was_taken_over_writes_nothing_more(platform_rig: PlatformRig) -> None:
    """Its lease's fence is old: neither renewal, line, engine nor result counts."""
    run_id = platform_rig.request()
    zombie = platform_rig.lease(run_id, "zombie")
    assert zombie is not None
    platform_rig.lapse(run_id)
    assert platform_rig.lease(run_id, "worker-2") is not None
    for write in (
        lambda writes: writes.renew(),
        lambda writes: writes.log([LogLine("resource", "late")]),
        lambda writes: writes.record_engine({"pid": 1}),
        lambda writes: writes.hold(),
    ):
        with pytest.raises(LeaseLost):
            platform_rig.writing(zombie, write)

    assert "late" not in platform_rig.log(run_id)


def test_of_many_workers_one_gets_the_run(platform_rig: PlatformRig) -> None:
    """However often the hint is delivered."""
    run_id = platform_rig.request()
    leases = at_once([partial(platform_rig.lease, run_id, f"w{number}") for number in range(6)])

    assert sum(lease is not None for lease in leases) == 1


def test_an_engine_that_outlived_its_worker_is_attached_to(platform_rig: PlatformRig) -> None:
    """Its success is the run's: nothing is applied twice."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.orphan(run_id)
    assert platform_rig.run(run_id, "worker-2")

    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert len(platform_rig.engine.runs) == 1
    assert platform_rig.engine.recovered == []


def test_a_dead_engine_is_recovered_and_the_rest_is_applied(platform_rig: PlatformRig) -> None:
    """Worker and engine were killed: the stack is tidied up first, and the approval still holds."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    orphan = platform_rig.orphan(run_id)
    platform_rig.engine.terminate(orphan.process)
    assert platform_rig.run(run_id, "worker-2")

    assert platform_rig.engine.recovered == [STACK]
    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    approved, rest = platform_rig.plans(run_id)
    assert (rest.continues_id, rest.status) == (approved.id, PlanStatus.APPLIED)


def test_what_a_run_left_half_way_is_settled_by_the_next_one(platform_rig: PlatformRig) -> None:
    """A failed run ends; whoever comes next begins with a recovery."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.engine.fail_next("invalid_input", retryable=False)
    platform_rig.run(run_id)
    assert platform_rig.row(run_id).status is RunStatus.FAILED
    platform_rig.waiting()

    assert platform_rig.engine.recovered == [STACK]


def test_what_a_provider_refused_is_not_sent_again_unasked(platform_rig: PlatformRig) -> None:
    """Robot shuts an address out after three wrong logins."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.engine.fail_next("engine_error", retryable=True)
    platform_rig.run(run_id)

    assert platform_rig.row(run_id).status is RunStatus.FAILED


def test_a_running_run_is_cancelled(platform_rig: PlatformRig) -> None:
    """Its engine is told, and what it left is remembered for the next run."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    with platform_rig.at_work(run_id) as (_, work):
        platform_rig.set(run_id, cancel_requested_at=func.now())
        assert work.result(30)

    row = platform_rig.row(run_id)
    assert row.status is RunStatus.CANCELLED
    assert row.engine is not None
    assert row.engine["ended"]


def test_somebody_at_a_terminal_is_waited_for(platform_rig: PlatformRig) -> None:
    """A lock that is not ours is never removed: the run says who holds it, and goes on once it is gone."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.states.held.append(StackLock("k", STACK, datetime.now(UTC), "an-admins-laptop", 4711))
    platform_rig.run(run_id)
    waiting = platform_rig.row(run_id)
    assert waiting.status is RunStatus.QUEUED
    assert "process 4711 on an-admins-laptop" in (waiting.waits_for or "")
    assert platform_rig.engine.runs == []

    platform_rig.states.held.clear()
    platform_rig.run(run_id)
    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED
    assert platform_rig.row(run_id).attempts == 1


def test_a_lock_of_this_host_is_ours_only_if_our_engine_made_it(platform_rig: PlatformRig) -> None:
    """A person may work on the worker's own host; after a crash the recovery must not take their lock away."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.engine.terminate(platform_rig.orphan(run_id).process)
    platform_rig.states.held.append(StackLock("k", STACK, datetime.now(UTC), HOST, 4711))
    platform_rig.run(run_id, "worker-2")
    assert platform_rig.engine.recoveries == []

    ours = platform_rig.settings.work_root / "some-run"
    ours.mkdir(parents=True)
    (ours / "4711.command").touch()
    platform_rig.run(run_id, "worker-2")
    assert [run.job.unlock for run in platform_rig.engine.recoveries] == [True]


def test_a_recovery_without_a_lock_removes_none(platform_rig: PlatformRig) -> None:
    """Somebody could take the lock meanwhile, and would lose it."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    platform_rig.engine.terminate(platform_rig.orphan(run_id).process)
    platform_rig.run(run_id, "worker-2")

    assert [run.job.unlock for run in platform_rig.engine.recoveries] == [False]


def test_without_credentials_nothing_begins(platform_rig: PlatformRig) -> None:
    """The run's end says what to set."""
    run_id = platform_rig.request()
    platform_rig.run(run_id, platform_environment_file=None)

    row = platform_rig.row(run_id)
    assert (row.status, row.error_code) == (RunStatus.FAILED, "platform_environment")
    assert "SLIPWAY_PLATFORM_ENVIRONMENT_FILE" in (row.error_detail or "")


def test_credentials_are_in_no_row(platform_rig: PlatformRig) -> None:
    """The engine is given them, and no table has them."""
    platform_rig.brought_up()

    assert platform_rig.rows_with(CANARY) == {}
    assert platform_rig.rows_with(STACK)


def test_a_run_that_is_cut_off_for_ever_ends(platform_rig: PlatformRig) -> None:
    """Three workers died over it: the fourth does not try."""
    run_id = platform_rig.request()
    for number in range(3):
        assert platform_rig.lease(run_id, f"dead-{number}") is not None
        platform_rig.lapse(run_id)
    platform_rig.run(run_id)

    assert platform_rig.row(run_id).error_code == "attempts_exhausted"


def test_a_moved_version_voids_a_plan(platform_rig: PlatformRig) -> None:
    """Another program or plugin may do something else than what was shown."""
    run_id = platform_rig.waiting()
    announced = text('INSERT INTO engine_versions (id, versions) VALUES (1, \'{"program": "2"}\')')
    platform_rig.change(lambda session: session.execute(announced))
    with pytest.raises(PlanMoved, match="updated since the preview"):
        platform_rig.approve(run_id)

    assert platform_rig.row(run_id).status is RunStatus.QUEUED


def test_a_host_that_is_gone_is_declared_dead_for_its_platform_runs_too(platform_rig: PlatformRig) -> None:
    """An engine of unknown fate is waited for, until a person says that its host is dead."""
    run_id = platform_rig.waiting()
    platform_rig.approve(run_id)
    lost = platform_rig.orphan(run_id)
    record = {**(platform_rig.row(run_id).engine or {})}
    record["process"] = {**record["process"], "host": "worker-9", "boot_id": "its-boot"}
    platform_rig.set(run_id, engine=record, lease_owner="worker-9:1")
    lost.result = EngineResult(EngineOutcome.FAILED)
    platform_rig.run(run_id)
    assert "may still be alive" in (platform_rig.row(run_id).waits_for or "")

    fenced = platform_rig.change(lambda session: HostFencing(session).fence("worker-9", HOST, "ada", "it burnt down"))
    assert list(fenced.boots) == ["its-boot"]
    platform_rig.run(run_id)
    assert platform_rig.row(run_id).status is RunStatus.SUCCEEDED


def test_what_policy_forbids_is_not_applied_and_cannot_be_approved(platform_rig: PlatformRig) -> None:
    """A resource that runs commands is none of ours; the run says which rule, and no engine is let loose."""
    urn = f"urn:pulumi:{STACK}::slipway::command:local:Command::it"
    platform_rig.engine.next_steps([{"urn": urn, "type": "command:local:Command", "op": "create", "name": "it"}])
    run_id = platform_rig.waiting()

    row = platform_rig.row(run_id)
    assert (row.status, row.error_code) == (RunStatus.FAILED, "policy_refused")
    assert "platform-types: Command 'it'" in (row.error_detail or "")
    assert platform_rig.plan(run_id).status is PlanStatus.REFUSED
    assert platform_rig.engine.runs == []
