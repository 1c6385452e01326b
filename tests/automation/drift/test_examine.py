"""The engine's closer look at suspects: how many, when, and what follows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from api.drift.models import DriftFinding, FindingStatus, Resolution, Severity
from api.jobs import Job
from automation.drift.budget import looks_allowed
from automation.engine.contract import EngineAction, EngineJob, EngineSecrets
from tests.fakes.engine import FakeEngine, FakeRun, Gate
from tests.fixtures.drift import DriftRig

GUEST = "proxmoxve:index/vmLegacy:VmLegacy"


def _step(op: str = "update", path: str = "cpu.cores", kind: str = GUEST) -> dict[str, object]:
    changes = [{"path": path, "kind": "changed", "before": 1, "after": 4}] if op == "update" else []
    return {"urn": f"urn:{kind}", "type": kind, "op": op, "name": "box", "inputs": {}, "changes": changes}


class _SlowPreviews(FakeEngine):
    """An engine whose previews wait at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    def start(self, job: EngineJob, secrets: EngineSecrets) -> FakeRun:
        run = super().start(job, secrets)
        run.gate = self.gate
        return run


@pytest.fixture
def suspect(drift_rig: DriftRig) -> UUID:
    """Return an order whose guest was switched off by hand, as a scan has found."""
    order_id = drift_rig.delivered()
    drift_rig.guests.switch(*drift_rig.where(order_id), is_running=False)
    drift_rig.scan()
    return order_id


def test_a_suspect_is_looked_at_once(drift_rig: DriftRig, suspect: UUID) -> None:
    """What the world has changed, in the engine's words, stands in the finding; nothing is applied."""
    drift_rig.runner.engine.next_steps([_step(path="started"), _step("same")])
    assert drift_rig.examiner().run() == 1
    assert drift_rig.examiner().run() == 0
    assert drift_rig.finding().steps == [_step(path="started")]
    assert [run.job.action for run in drift_rig.runner.engine.previews] == [EngineAction.PREVIEW_REFRESH]
    assert drift_rig.desk.kinds(suspect) == [("apply", "succeeded")]


def test_only_suspects_are_looked_at(drift_rig: DriftRig) -> None:
    """A world that agrees costs no engine at all."""
    drift_rig.delivered()
    drift_rig.scan()
    assert drift_rig.examiner().run() == 0
    assert drift_rig.runner.engine.previews == []


def test_what_changes_again_is_looked_at_again(drift_rig: DriftRig, suspect: UUID) -> None:
    """Under a number of its own, so that the two looks' files do not meet."""
    drift_rig.examiner().run()
    drift_rig.guests.shape(*drift_rig.where(suspect), cores=4)
    drift_rig.scan()
    drift_rig.examiner().run()
    drift_rig.guests.shape(*drift_rig.where(suspect), cores=8)
    drift_rig.scan()
    drift_rig.examiner().run()
    keys = [(run.job.operation_id, run.job.fence) for run in drift_rig.runner.engine.previews]
    assert len(set(keys)) == 3
    assert [fence for _, fence in keys] == [1, 1, 2]


def test_the_engines_word_can_make_a_finding_critical(drift_rig: DriftRig, suspect: UUID) -> None:
    """The list shows a machine that is off; the engine sees that its address filter is off too."""
    options = "proxmoxve:network/firewall:OptionsLegacy"
    drift_rig.runner.engine.next_steps([_step(path="macfilter", kind=options)])
    drift_rig.examiner().run()
    assert drift_rig.finding().severity is Severity.CRITICAL
    drift_rig.scan()
    assert drift_rig.finding().severity is Severity.CRITICAL
    assert drift_rig.desk.kinds(suspect) == [("apply", "succeeded")]


@pytest.mark.usefixtures("suspect")
def test_no_suspect_is_looked_at_while_its_node_has_work(drift_rig: DriftRig) -> None:
    """An operation that waits on the same node comes first."""
    drift_rig.desk.shop.place_paid()
    assert drift_rig.examiner().run() == 0


def test_a_look_ends_as_soon_as_an_operation_waits(drift_rig: DriftRig, suspect: UUID) -> None:
    """The engine is interrupted; the suspect is looked at another time."""
    engine, clock = _SlowPreviews(), count()
    gate = engine.gate
    examiner = replace(drift_rig.examiner(), engine=engine, clock=lambda: float(next(clock)))
    with ThreadPoolExecutor(1) as pool:
        look = pool.submit(examiner.run)
        assert gate.started.wait(30)
        drift_rig.desk.power(suspect, started=False)
        assert look.result(30) == 0
    (finding,) = drift_rig.findings()
    assert (finding.examined_at, finding.steps, finding.examinations) == (None, None, 1)


def test_looks_stay_within_the_nodes_budget(drift_rig: DriftRig) -> None:
    """Ten minutes at 0.04 requests a second are two looks, however many suspects there are."""
    for _ in range(3):
        drift_rig.delete_guest(drift_rig.delivered())
    drift_rig.scan()
    budget = {"drift_requests_per_second": 0.04, "drift_suspects_per_run": 10}
    assert drift_rig.examiner(**budget).run() == 2
    assert drift_rig.examiner(**budget).run() == 0
    assert looks_allowed(0.04, 600) == 2
    assert looks_allowed(0.0001, 600) == 1


@pytest.mark.usefixtures("suspect")
def test_an_engine_that_cannot_start_leaves_the_suspect_for_later(drift_rig: DriftRig) -> None:
    """Nothing is lost but time."""
    drift_rig.runner.engine.refuse_next()
    assert drift_rig.examiner().run() == 0
    assert drift_rig.examiner().run() == 1


def test_nothing_is_repaired_unless_the_operator_has_said_so(drift_rig: DriftRig, suspect: UUID) -> None:
    """Off by default, however harmless."""
    drift_rig.runner.engine.next_steps([_step(path="started")])
    drift_rig.examiner().run()
    assert drift_rig.finding().status is FindingStatus.OPEN
    assert drift_rig.desk.kinds(suspect) == [("apply", "succeeded")]


def test_what_is_harmless_is_brought_back_where_the_operator_wants_it(drift_rig: DriftRig, suspect: UUID) -> None:
    """By an operation like any other, which looks at the world first."""
    drift_rig.runner.engine.next_steps([_step(path="started")])
    drift_rig.examiner(drift_repairs_harmless=True).run()
    finding, operation = drift_rig.finding(), drift_rig.desk.latest(suspect)
    assert (finding.status, finding.resolution) == (FindingStatus.REPAIRING, Resolution.REVERTED)
    assert (finding.operation_id, operation.refreshes, operation.requested_by) == (operation.id, True, None)
    assert (operation.id,) in drift_rig.desk.shop.jobs.of(Job.RUN_OPERATION)


@pytest.mark.parametrize("step", [_step(path="cpu.cores"), _step("delete"), _step("replace")])
def test_what_reboots_replaces_or_deletes_is_never_repaired_by_itself(
    drift_rig: DriftRig, suspect: UUID, step: dict[str, object]
) -> None:
    """The list shows a machine that is off; what the engine sees beside it is a person's affair."""
    drift_rig.runner.engine.next_steps([step])
    drift_rig.examiner(drift_repairs_harmless=True).run()
    assert drift_rig.finding().status is FindingStatus.OPEN
    assert drift_rig.desk.kinds(suspect) == [("apply", "succeeded")]


def test_a_guest_that_is_gone_is_never_made_again_by_itself(drift_rig: DriftRig) -> None:
    """F40: a data-bearing disk is not silently replaced by an empty one."""
    order_id = drift_rig.delivered()
    drift_rig.delete_guest(order_id)
    drift_rig.scan()
    drift_rig.runner.engine.next_steps([_step("delete")])
    drift_rig.examiner(drift_repairs_harmless=True).run()
    drift_rig.scan()
    (finding,) = drift_rig.desk.shop.all(DriftFinding)
    assert finding.status is FindingStatus.OPEN
    assert drift_rig.desk.kinds(order_id) == [("apply", "succeeded")]
