"""What the engine costs must not depend on how many stacks there are."""

import shlex
from pathlib import Path

import psycopg
import pytest

from automation.engine.contract import EngineAction, EngineOutcome
from tests.fixtures.engine import Rig

pytestmark = pytest.mark.engine

STACKS = 50
_COPIES = """
    INSERT INTO pulumi_state (key, data, updated_at)
    SELECT replace(key, 'w-test', 'w-copy-' || number), data, updated_at
    FROM pulumi_state, generate_series(1, %s) AS number WHERE key LIKE '%%/w-test.json'
"""


def recorded(rig: Rig, folder: Path) -> tuple[Rig, Path]:
    """Return the rig with a CLI that writes down how it is called, and where it does."""
    log, script = folder / "calls", folder / "pulumi"
    script.write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(log))}\nexec {rig.settings.pulumi} "$@"\n')
    script.chmod(0o700)
    return rig.using("engine_programs:rooms", pulumi=script), log


def test_no_command_lists_the_stacks(rig: Rig, tmp_path: Path) -> None:
    """F11: with 50 stacks beside it, each operation calls what it needs and nothing else."""
    rig, log = recorded(rig, tmp_path)
    rig.up({"rooms": 1}, stack_may_exist=False)
    with psycopg.connect(rig.secrets.backend_url) as connection:
        assert connection.execute(_COPIES, (STACKS,)).rowcount == STACKS
    log.unlink()

    rig.stack = "w-another"
    job = rig.job(EngineAction.PREVIEW, {"rooms": 1}, stack_may_exist=False)
    results = [rig.run(job), rig.up({"rooms": 2})]
    results += [
        rig.run(rig.job(action, {"rooms": 2}))
        for action in (EngineAction.PREVIEW_REFRESH, EngineAction.PREVIEW_DESTROY)
    ]
    recovery = rig.engine.recover(rig.job(spec={"rooms": 2}), rig.secrets)
    results += [recovery.wait(rig.events.append, lambda: True), rig.destroy({"rooms": 2})]

    assert {result.outcome for result in results} == {EngineOutcome.SUCCEEDED}
    verbs = [_verb(line) for line in log.read_text().splitlines()]
    assert verbs[:5] == ["stack init", "preview", "up", "refresh", "destroy"]
    assert "stack ls" not in verbs
    assert set(verbs) <= {"stack init", "preview", "up", "refresh", "destroy", "cancel", "stack export", "stack import"}


def _verb(line: str) -> str:
    words = [word for word in line.split() if not word.startswith("-")]
    return " ".join(words[:2]) if words[0] == "stack" else words[0]


def test_a_list_of_stacks_is_asked_for_nowhere() -> None:
    """F11: neither by a command line of ours nor through the SDK, whose workspace has a method for it."""
    root = Path(__file__).parents[3]
    sources = {
        path.relative_to(root).as_posix(): path.read_text()
        for folder in ("api", "automation", "components", "stacks")
        for path in (root / folder).rglob("*.py")
    }

    assert len(sources) > 100
    assert [name for name, text in sources.items() if "list_stacks" in text or '"stack", "ls"' in text] == []
