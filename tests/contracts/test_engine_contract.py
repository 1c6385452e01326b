"""What every ``Engine`` does: the real one and the tests' fake."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import pytest

from automation.engine.contract import (
    Engine,
    EngineAction,
    EngineEvent,
    EngineJob,
    EngineOutcome,
    EngineResult,
    EngineRun,
    EngineSecrets,
    EngineUnavailable,
)
from tests.fakes.engine import FakeEngine
from tests.fixtures.engine import PROGRAMS, Rig, until

_NUMBERS = count(1)


class Hold(Protocol):
    """A run that waits in the middle of its work."""

    spec: Mapping[str, Any]

    def await_start(self) -> None:
        """Block until the run is in the middle of its work."""

    def release(self) -> None:
        """Let it go on."""


@dataclass(slots=True)
class Subject:
    """An engine under test."""

    engine: Engine
    secrets: EngineSecrets
    work_root: Path
    hold: Callable[[], Hold]
    quick: Mapping[str, Any]

    def job(self, action: EngineAction = EngineAction.UP, **more: Any) -> EngineJob:
        """Return a job of its own on the stack ``w-contract``."""
        fields: dict[str, Any] = {"operation_id": f"c{next(_NUMBERS)}", "fence": 1, "stack": "w-contract", **more}
        fields.setdefault("spec", self.quick)
        return EngineJob(action=action, work_root=self.work_root, **fields)

    def run(self, job: EngineJob) -> EngineResult:
        """Run a job to its end."""
        return self.engine.start(job, self.secrets).wait(lambda _event: None, lambda: True)

    def follow(self, run: EngineRun, poll: Callable[[], bool] = lambda: True) -> "Future[EngineResult]":
        """Wait in another thread."""
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(run.wait, lambda _event: None, poll)
        finally:
            pool.shutdown(wait=False)


class FakeHold:
    """A gate of the fake engine."""

    def __init__(self, engine: FakeEngine, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self._engine = engine
        self._gate = engine.hold()

    def await_start(self) -> None:
        """Block until the run is in the middle of its work."""
        assert self._gate.started.wait(30)
        self._engine.release()

    def release(self) -> None:
        """Let it go on."""
        self._gate.open()


class RealHold:
    """A program that waits for a file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._started, self._gate = folder / "started", folder / "gate"
        self.spec: Mapping[str, Any] = {"started": str(self._started), "gate": str(self._gate)}

    def await_start(self) -> None:
        """Block until the run is in the middle of its work."""
        until(self._started.exists)

    def release(self) -> None:
        """Let it go on."""
        self._gate.touch()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Return each engine in turn."""
    if request.param == "fake":
        fake = FakeEngine()
        value = {"value": 1}
        yield Subject(
            fake, EngineSecrets("postgres://fake", "a passphrase"), tmp_path, lambda: FakeHold(fake, value), value
        )
        return
    rig: Rig = request.getfixturevalue("rig").using("engine_programs:waits")
    open_gate = tmp_path / "open"
    open_gate.mkdir()
    (open_gate / "gate").touch()
    quick = {"started": str(open_gate / "started"), "gate": str(open_gate / "gate")}
    holds = (RealHold(tmp_path / f"hold{number}") for number in count())
    yield Subject(rig.engine, rig.secrets, rig.work_root, lambda: next(holds), quick)


def test_an_up_ends_with_outputs_and_numbered_events(subject: Subject) -> None:
    """Events count from one without a gap, and the result carries the stack's outputs."""
    events: list[EngineEvent] = []

    result = subject.engine.start(subject.job(stack_may_exist=False), subject.secrets).wait(events.append, lambda: True)

    assert (result.outcome, result.failure, result.pulumi_processes) == (EngineOutcome.SUCCEEDED, None, 2)
    assert result.outputs
    assert result.changes["create"] >= 1
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert events[-1].kind == "summary"


def test_an_up_of_the_same_spec_changes_nothing(subject: Subject) -> None:
    """The second one finds everything as it should be, and still tells the outputs."""
    subject.run(subject.job(stack_may_exist=False))

    again = subject.run(subject.job())

    assert (again.outcome, set(again.changes), again.pulumi_processes) == (EngineOutcome.SUCCEEDED, {"same"}, 1)
    assert again.outputs


def test_a_preview_changes_nothing(subject: Subject) -> None:
    """What a preview says would be created is created by the `up` after it."""
    preview = subject.run(subject.job(EngineAction.PREVIEW))
    up = subject.run(subject.job())

    assert (preview.outcome, preview.outputs) == (EngineOutcome.SUCCEEDED, {})
    assert preview.changes["create"] == up.changes["create"] >= 1


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def looker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Return each engine with a program that makes one resource with the spec as its properties."""
    spec = {"value": "1", "colour": "red", "file": str(tmp_path / "thing")}
    if request.param == "fake":
        fake = FakeEngine()
        yield Subject(
            fake, EngineSecrets("postgres://fake", "a passphrase"), tmp_path, lambda: FakeHold(fake, spec), spec
        )
        return
    rig: Rig = request.getfixturevalue("rig").using("engine_programs:things")
    # The dynamic provider's own process imports the resource's class.
    secrets = replace(rig.secrets, provider_environment={"PYTHONPATH": str(PROGRAMS)})
    yield Subject(rig.engine, secrets, rig.work_root, lambda: RealHold(tmp_path / "hold"), spec)


def only(result: EngineResult) -> Mapping[str, Any]:
    """Return the one step of a preview that succeeded."""
    assert result.failure is None
    (step,) = result.steps
    return step


def test_previews_tell_their_steps(looker: Subject) -> None:
    """To be created, left alone, changed with what changes, removed; and nothing that is not a resource of ours."""
    created = only(looker.run(looker.job(EngineAction.PREVIEW, stack_may_exist=False)))
    up = looker.run(looker.job())
    same = only(looker.run(looker.job(EngineAction.PREVIEW)))
    updated = only(looker.run(looker.job(EngineAction.PREVIEW, spec={**looker.quick, "value": "2"})))
    deleted = only(looker.run(looker.job(EngineAction.PREVIEW_DESTROY)))

    assert up.steps == ()
    steps = (created, same, updated, deleted)
    assert [step["op"] for step in steps] == ["create", "same", "update", "delete"]
    assert {step["urn"] for step in steps} == {created["urn"]}
    assert {step["name"] for step in steps} == {"thing"}
    assert updated["changes"] == [{"path": "value", "kind": "changed", "before": "1", "after": "2"}]
    assert [step["inputs"]["value"] for step in steps] == ["1", "1", "2", "1"]
    assert not any(step["changes"] for step in (created, same, deleted))


def test_nothing_is_destroyed_of_a_stack_that_is_not_there(looker: Subject) -> None:
    """A preview of it succeeds without a step, and makes no stack."""
    looked = looker.run(looker.job(EngineAction.PREVIEW_DESTROY))

    assert (looked.outcome, looked.steps) == (EngineOutcome.SUCCEEDED, ())


def test_an_attempt_is_previewed_and_then_applied(looker: Subject) -> None:
    """One operation and fence stand for both; a preview may even be made again."""
    job = looker.job(stack_may_exist=False)
    looks = [looker.run(replace(job, action=EngineAction.PREVIEW)) for _ in range(2)]

    assert looks[0].steps == looks[1].steps
    assert only(looks[0])["op"] == "create"
    assert looker.run(replace(job, stack_may_exist=True)).outcome is EngineOutcome.SUCCEEDED


def test_a_refreshing_preview_sees_what_was_changed_by_hand(looker: Subject) -> None:
    """Told by one preview as a finding, by another as the step that would set it right."""
    looker.run(looker.job(stack_may_exist=False))
    meddle(looker, "meddled with")

    found = only(looker.run(looker.job(EngineAction.PREVIEW_REFRESH)))
    blind = only(looker.run(looker.job(EngineAction.PREVIEW)))
    seeing = only(looker.run(looker.job(EngineAction.PREVIEW, refresh=True)))

    assert [step["op"] for step in (found, blind, seeing)] == ["update", "same", "update"]
    assert found["changes"] == [{"path": "value", "kind": "changed", "before": "1", "after": "meddled with"}]
    assert seeing["changes"] == [{"path": "value", "kind": "changed", "before": "meddled with", "after": "1"}]


def test_a_refreshing_preview_sees_what_is_gone(looker: Subject) -> None:
    """A finding says that it was removed, a plan that it would be made again; `up` with a refresh makes it."""
    looker.run(looker.job(stack_may_exist=False))
    meddle(looker, None)

    found = only(looker.run(looker.job(EngineAction.PREVIEW_REFRESH)))
    seeing = only(looker.run(looker.job(EngineAction.PREVIEW, refresh=True)))
    looker.run(looker.job(refresh=True))
    afterwards = only(looker.run(looker.job(EngineAction.PREVIEW_REFRESH)))

    assert [step["op"] for step in (found, seeing, afterwards)] == ["delete", "create", "same"]


def meddle(looker: Subject, value: str | None) -> None:
    """Change the resource behind the engine's back; None removes it."""
    if isinstance(looker.engine, FakeEngine):
        looker.engine.drift("w-contract", None if value is None else {**looker.quick, "value": value})
        return
    file = Path(looker.quick["file"])
    file.unlink() if value is None else file.write_text(value)


def test_destroy_is_a_desired_state(subject: Subject) -> None:
    """The first one removes, the second finds nothing and succeeds as well."""
    subject.run(subject.job(stack_may_exist=False))

    first, second = (subject.run(subject.job(EngineAction.DESTROY)) for _ in range(2))

    assert (first.outcome, second.outcome) == (EngineOutcome.SUCCEEDED, EngineOutcome.SUCCEEDED)
    assert first.changes["delete"] >= 1
    assert second.changes == {}


def test_nothing_happens_before_wait(subject: Subject) -> None:
    """A run that is abandoned before it was waited for has touched nothing, and its stack is free."""
    run = subject.engine.start(subject.job(stack_may_exist=False), subject.secrets)
    assert subject.engine.is_alive(run.process) is True

    run.abandon()

    assert subject.run(subject.job()).changes["create"] >= 1


def test_a_refused_poll_cancels(subject: Subject) -> None:
    """The run ends early, says so, and leaves its stack unlocked."""
    held, wanted = subject.hold(), Event()
    wanted.set()
    run = subject.engine.start(subject.job(spec=held.spec, stack_may_exist=False), subject.secrets)
    done = subject.follow(run, wanted.is_set)
    held.await_start()

    wanted.clear()
    result = done.result(60)

    assert result.outcome is EngineOutcome.CANCELLED
    assert result.failure is not None
    assert result.failure.retryable
    assert subject.run(subject.job()).outcome is EngineOutcome.SUCCEEDED


def test_previews_of_one_stack_do_not_wait_for_each_other(subject: Subject) -> None:
    """Nor does a dead one stand in the way: a preview takes no lock."""
    subject.run(subject.job(EngineAction.PREVIEW, stack_may_exist=False))
    held = subject.hold()
    run = subject.engine.start(subject.job(EngineAction.PREVIEW, spec=held.spec), subject.secrets)
    done = subject.follow(run)
    if not isinstance(subject.engine, FakeEngine):  # whose previews are never held
        held.await_start()

    beside = subject.run(subject.job(EngineAction.PREVIEW))
    subject.engine.terminate(run.process)
    done.result(60)
    after = subject.run(subject.job(EngineAction.PREVIEW))

    assert (beside.outcome, after.outcome) == (EngineOutcome.SUCCEEDED, EngineOutcome.SUCCEEDED)


def test_a_deadline_ends_a_run(subject: Subject) -> None:
    """A run that takes too long is ended and may be tried again."""
    held = subject.hold()

    run = subject.engine.start(subject.job(spec=held.spec, stack_may_exist=False, deadline_seconds=2), subject.secrets)
    result = subject.follow(run).result(60)

    assert result.outcome is EngineOutcome.DEADLINE
    assert result.failure is not None
    assert result.failure.code == "deadline"


def test_the_same_attempt_is_not_run_twice(subject: Subject) -> None:
    """Operation and fence name one attempt; a higher fence is another."""
    held = subject.hold()
    job = subject.job(spec=held.spec, stack_may_exist=False)
    done = subject.follow(subject.engine.start(job, subject.secrets))
    held.await_start()

    with pytest.raises(EngineUnavailable, match="before"):
        subject.engine.start(job, subject.secrets)

    held.release()
    assert done.result(60).outcome is EngineOutcome.SUCCEEDED
    assert subject.run(replace(job, fence=2)).outcome is EngineOutcome.SUCCEEDED


def test_a_killed_engine_leaves_a_lock_that_recovery_removes(subject: Subject) -> None:
    """Terminate, refuse, recover, go on: the path of a fenced-off worker's engine."""
    held = subject.hold()
    job = subject.job(spec=held.spec, stack_may_exist=False)
    run = subject.engine.start(job, subject.secrets)
    done = subject.follow(run)
    held.await_start()

    assert subject.engine.terminate(run.process) is True
    killed = done.result(60)
    refused = subject.run(subject.job())
    recovered = subject.engine.recover(job, subject.secrets).wait(lambda _: None, lambda: True)

    assert killed.failure is not None
    assert refused.failure is not None
    assert (killed.failure.code, refused.failure.code) == ("engine_killed", "stack_locked")
    assert killed.failure.retryable
    assert refused.failure.retryable
    assert subject.engine.is_alive(run.process) is False
    assert recovered.outcome is EngineOutcome.SUCCEEDED
    assert subject.run(subject.job()).outcome is EngineOutcome.SUCCEEDED


def test_recovering_a_stack_that_was_never_made_succeeds(subject: Subject) -> None:
    """The engine may have died before its first step."""
    assert (
        subject.engine.recover(subject.job(), subject.secrets).wait(lambda _: None, lambda: True).outcome
        is EngineOutcome.SUCCEEDED
    )


def test_a_run_that_failed_can_be_attached_to(subject: Subject) -> None:
    """Another worker reads how it ended."""
    held = subject.hold()
    job = subject.job(spec=held.spec, stack_may_exist=False, deadline_seconds=2)
    run = subject.engine.start(job, subject.secrets)
    first = subject.follow(run).result(60)

    again = subject.engine.attach(job, subject.secrets, run.process)

    assert again is not None
    assert again.wait(lambda _event: None, lambda: True).outcome is first.outcome is EngineOutcome.DEADLINE


def test_nothing_is_known_of_a_run_that_never_was(subject: Subject) -> None:
    """Attach says so instead of waiting for ever."""
    run = subject.engine.start(subject.job(stack_may_exist=False), subject.secrets)
    run.abandon()

    assert subject.engine.attach(subject.job(), subject.secrets, run.process) is None


def test_an_engine_of_another_host_is_of_unknown_fate(subject: Subject) -> None:
    """Neither alive nor dead, and nobody here can kill it."""
    run = subject.engine.start(subject.job(stack_may_exist=False), subject.secrets)
    run.abandon()
    elsewhere = replace(run.process, host="elsewhere")

    assert subject.engine.is_alive(elsewhere) is None
    assert subject.engine.terminate(elsewhere) is False
