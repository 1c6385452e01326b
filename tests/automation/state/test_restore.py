"""An older state is brought back: docs/runbooks/restore-the-state-database.md, step by step, on the real engine (F21).

Of three guests one was changed after the dump, one removed and one made.
"""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from api.state.store import StateStore
from automation.embedded.postgres import EmbeddedPostgres
from automation.engine.backend import prepare_state, state_url
from automation.engine.contract import EngineAction, EngineOutcome, EngineResult, EngineUnavailable
from lab.client import RunningLab
from lab.truth import Guest
from tests.fixtures.engine import Rig
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine

CHANGED, REMOVED, MADE = "minecraft", "bot", "source_server"
_UNCHANGED = frozenset({"same"})
_TRIES = 3


@dataclass(slots=True)
class World:
    """Three workloads of the lab, each with a stack of its own, and one state database."""

    rig: Rig
    lab: RunningLab
    postgres: EmbeddedPostgres
    specs: dict[str, Any]
    folder: Path

    def run(self, action: EngineAction, kind: str, **more: Any) -> EngineResult:
        """Run an operation on one of them; as a worker does, again where time may heal a failure."""
        spec = self.specs[kind]
        secrets = replace(self.rig.secrets, provider_environment=credentials(self.lab, spec))
        rig = replace(self.rig, secrets=secrets, stack=f"w-{kind.replace('_', '-')}")
        for _ in range(_TRIES):
            result = rig.run(rig.job(action, spec.model_dump(mode="json"), **more))
            if result.failure is None or not result.failure.retryable:
                break
        assert result.outcome is EngineOutcome.SUCCEEDED, result
        return result

    def findings(self, kind: str) -> dict[str, set[str]]:
        """Return what a look at the world finds, kinds of resources by step."""
        steps = self.run(EngineAction.PREVIEW_REFRESH, kind).steps
        found: dict[str, set[str]] = {}
        for step in steps:
            if step["op"] != "same":
                found.setdefault(step["op"], set()).add(step["type"].rpartition(":")[2])
        return found

    def state_knows(self, kind: str) -> bool:
        """Tell whether the state has a stack for a workload."""
        with closing(StateStore(self.rig.secrets.backend_url)) as states:
            return states.digest(f"w-{kind.replace('_', '-')}") is not None

    def dump(self) -> None:
        """Dump the state database."""
        self._client("pg_dump", "--format=custom", f"--file={self._file}", self.rig.secrets.backend_url)

    def restore(self, name: str) -> str:
        """Make a database anew and fill it from the dump; returns its address."""
        self.postgres.drop_database(name)
        url = state_url(self.postgres.create_database(name), name)
        self._client("pg_restore", "--exit-on-error", f"--dbname={url}", self._file)
        return url

    @property
    def database(self) -> str:
        """The state database's name."""
        with closing(StateStore(self.rig.secrets.backend_url)) as states:
            return states.keys.database

    @property
    def guests(self) -> dict[int, Guest]:
        """The lab's guests by number."""
        return {guest.vmid: guest for guest in self.lab.truth.guests()}

    @property
    def _file(self) -> str:
        return str(self.folder / "state.dump")

    def _client(self, program: str, *arguments: str) -> None:
        subprocess.run([self.postgres._server.bin_path / program, *arguments], check=True, timeout=60)


@pytest.fixture
def world(rig: Rig, lab: RunningLab, postgres: EmbeddedPostgres, tmp_path: Path) -> World:
    """Return three workloads, none of which is there yet."""
    workload = rig.using("automation.engine.programs:workload", keep_directories=True)
    specs = {kind: spec_of(kind, lab) for kind in (CHANGED, REMOVED, MADE)}
    return World(workload, lab, postgres, specs, tmp_path)


@pytest.fixture
def restored(world: World) -> Iterator[World]:
    """Return the world after an older state was brought back."""
    world.run(EngineAction.UP, CHANGED, stack_may_exist=False)
    world.run(EngineAction.UP, REMOVED, stack_may_exist=False)
    world.dump()
    _enlarge(world, CHANGED)
    world.run(EngineAction.UP, CHANGED)
    world.run(EngineAction.DESTROY, REMOVED)
    world.run(EngineAction.UP, MADE, stack_may_exist=False)
    world.restore(world.database)
    yield world
    world.postgres.drop_database("restored-elsewhere")


def _enlarge(world: World, kind: str) -> None:
    spec = world.specs[kind]
    larger = spec.resources.model_copy(update={"memory_mib": spec.resources.memory_mib * 2})
    world.specs[kind] = spec.model_copy(update={"resources": larger})


def test_after_a_restore_drift_shows_what_moved_and_nothing_is_made_or_deleted_blindly(restored: World) -> None:
    """First a look, which touches nothing; then each is repaired, and no guest is made twice or removed."""
    before = restored.guests
    made, changed, removed = (restored.specs[kind].placement.vmid for kind in (MADE, CHANGED, REMOVED))
    assert set(before) == {made, changed}

    looks = {kind: restored.findings(kind) for kind in (CHANGED, REMOVED)}

    assert looks[CHANGED] == {"update": {"ContainerLegacy"}}
    assert "ContainerLegacy" in looks[REMOVED]["delete"]
    assert restored.state_knows(MADE) is False
    assert restored.guests == before

    repaired = restored.run(EngineAction.UP, CHANGED, refresh=True)
    restored.run(EngineAction.UP, MADE)
    restored.run(EngineAction.DESTROY, REMOVED)

    assert not {"create", "delete", "replace"} & set(repaired.changes)
    assert restored.guests == before
    assert removed not in before
    assert [restored.findings(kind) for kind in (CHANGED, MADE)] == [{}, {}]
    assert restored.state_knows(REMOVED) is False


def test_a_restore_under_another_name_is_refused_at_start(restored: World) -> None:
    """No engine runs, so nothing is taken for absent."""
    url = restored.restore("restored-elsewhere")

    with pytest.raises(EngineUnavailable, match=f'RENAME TO "{restored.database}"'):
        prepare_state(restored.rig.settings.pulumi, url)
