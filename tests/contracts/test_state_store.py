"""What every ``StackStates`` does: the real store on the real engine's rows, and the tests' fake."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import psycopg
import pytest

from api.state.checkpoint import write_checkpoint
from api.state.store import StackStates, StateCorrupt, StateStore
from automation.engine.contract import EngineAction, EngineOutcome
from tests.fakes.engine import FakeEngine, FakeStack
from tests.fakes.state import FakeStateStore
from tests.fixtures.engine import Rig

STACK = "w-test"


class Subject(Protocol):
    """A store under test, and those who write the state."""

    @property
    def states(self) -> StackStates:
        """The store."""

    def up(self, size: int) -> None:
        """Have the engine bring the stack up."""

    def destroy(self) -> None:
        """Have the engine remove the stack."""

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the deployment by hand."""

    def spoil(self) -> None:
        """Cut the checkpoint off in the middle."""


class FakeSubject:
    """The fake store in front of the fake engine's stacks."""

    def __init__(self) -> None:
        self._engine = FakeEngine()
        self.states = FakeStateStore(self._engine)

    def up(self, size: int) -> None:
        """Have a stack."""
        self._engine.stacks.clear()
        self._engine.stacks[STACK] = FakeStack(spec={"rooms": size})

    def destroy(self) -> None:
        """Have none."""
        self._engine.stacks.clear()

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the deployment."""
        deployment = self.states.deployment(STACK)
        assert deployment is not None
        change(deployment)
        self.states.deployments[STACK] = deployment

    def spoil(self) -> None:
        """Have it unreadable."""
        self.states.corrupt.add(STACK)


class RealSubject:
    """The real store on the table that the real CLI writes."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.states = StateStore(rig.secrets.backend_url)

    def up(self, size: int) -> None:
        """Run the engine."""
        job = self._rig.job(EngineAction.UP, {"rooms": size}, stack_may_exist=self.states.digest(STACK) is not None)
        assert self._rig.run(job).outcome is EngineOutcome.SUCCEEDED

    def destroy(self) -> None:
        """Run the engine."""
        assert self._rig.destroy({"rooms": 1}).outcome is EngineOutcome.SUCCEEDED

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Rewrite the row."""

        def rewritten(data: Any) -> dict[str, str]:
            document = json.loads(base64.b64decode(data["data"]))
            change(document["checkpoint"]["latest"])
            return write_checkpoint(document)

        self._rewrite(rewritten)

    def spoil(self) -> None:
        """Cut the row's content in half."""
        self._rewrite(lambda data: {"data": data["data"][: len(data["data"]) // 8 * 4]})

    def _rewrite(self, change: Callable[[Any], Mapping[str, str]]) -> None:
        key = self.states.keys.checkpoint(STACK)
        with psycopg.connect(self._rig.secrets.backend_url) as connection:
            row = connection.execute("SELECT data FROM pulumi_state WHERE key = %s", [key]).fetchone()
            assert row is not None
            connection.execute("UPDATE pulumi_state SET data = %s WHERE key = %s", [json.dumps(change(row[0])), key])


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.engine)])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Return each store in turn."""
    if request.param == "fake":
        yield FakeSubject()
        return
    real = RealSubject(request.getfixturevalue("rig"))
    yield real
    real.states.close()


def test_a_stack_that_does_not_exist_has_no_state(subject: Subject) -> None:
    """Neither before the first operation nor after the stack was removed."""
    before = (subject.states.digest(STACK), subject.states.deployment(STACK))
    subject.up(1)
    subject.destroy()

    assert before == (None, None)
    assert (subject.states.digest(STACK), subject.states.deployment(STACK)) == (None, None)


def test_the_digest_stays_with_an_operation_that_changes_nothing_and_moves_with_one_that_does(subject: Subject) -> None:
    """The engine writes its state anew each time, with new times."""
    subject.up(2)
    first = subject.states.digest(STACK)
    subject.up(2)
    again = subject.states.digest(STACK)
    subject.up(3)

    assert first is not None
    assert (again == first, subject.states.digest(STACK) == first) == (True, False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda latest: latest["resources"][-1].setdefault("inputs", {}).update(x=1), id="input"),
        pytest.param(lambda latest: latest["resources"][-1].setdefault("outputs", {}).update(x=1), id="output"),
        pytest.param(lambda latest: latest["resources"][-1].update(id="other"), id="id"),
        pytest.param(lambda latest: latest["resources"].pop(), id="resource removed"),
        pytest.param(
            lambda latest: latest.update(
                pending_operations=[{"resource": latest["resources"][-1], "type": "creating"}]
            ),
            id="pending operation",
        ),
    ],
)
def test_the_digest_tells_of_a_change_by_hand(subject: Subject, change: Callable[[dict[str, Any]], None]) -> None:
    """Whatever was previewed before is not what would be applied now."""
    subject.up(1)
    before = subject.states.digest(STACK)

    subject.edit(change)

    assert subject.states.digest(STACK) not in {None, before}


def test_a_checkpoint_that_was_cut_off_is_corrupt_and_names_its_stack(subject: Subject) -> None:
    """Not an empty stack: the engine would make everything a second time."""
    subject.up(1)
    subject.spoil()

    with pytest.raises(StateCorrupt, match=STACK) as caught:
        subject.states.deployment(STACK)
    with pytest.raises(StateCorrupt):
        subject.states.digest(STACK)

    assert (caught.value.code, caught.value.retryable) == ("state_corrupt", False)
