"""A guard that could be taken away without a test failing would be no guard: each is, in a copy of the tree.

``pytest tests/mutants`` puts several mutants into one copy, where they have nothing to do with each other;
``--mutants=each`` gives each a copy of its own. The same tests pass in a copy without a mutant.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.fixtures.options import MUTANTS as MUTANTS_OPTION
from tests.mutants.mutants import MUTANTS, Mutant

pytestmark = pytest.mark.processes

_ROOT = Path(__file__).parents[2]
_PARTS = ("api", "automation", "components", "lab", "stacks", "tests", "pyproject.toml", "Pulumi.yaml")
_BATCHES = sorted({mutant.batch for mutant in MUTANTS})
_SECONDS = 280


def _copy(folder: Path) -> Path:
    for part in _PARTS:
        source = _ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def _mutate(tree: Path, mutant: Mutant) -> None:
    path = tree / mutant.path
    source = path.read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1, f"the guard of '{mutant.name}' is not where it was: {mutant.path}"
    path.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")


def _outcomes(tree: Path, tests: Sequence[str]) -> dict[str, set[str]]:
    """Run tests in a copy; returns what became of each function, by the names of its outcomes."""
    report = tree / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - a file that we have just made
        words = {child.tag for child in case} & {"failure", "error", "skipped"}
        name = str(case.get("name")).partition("[")[0]
        found.setdefault(name, set()).update(words or {"passed"})
    return found


def _survivors(tree: Path, mutants: Sequence[Mutant]) -> list[str]:
    """Put mutants into a copy and return those that no test has noticed."""
    for mutant in mutants:
        _mutate(tree, mutant)
    found = _outcomes(tree, [mutant.test for mutant in mutants])
    return [mutant.name for mutant in mutants if "failure" not in found.get(mutant.test.rpartition("::")[2], set())]


def test_the_tests_pass_while_the_guards_are_there(tmp_path: Path) -> None:
    """Else the death of a mutant would prove nothing."""
    found = _outcomes(_copy(tmp_path), [mutant.test for mutant in MUTANTS])
    assert found
    assert {name: words for name, words in found.items() if words != {"passed"}} == {}
    missing = [mutant.test for mutant in MUTANTS if mutant.test.rpartition("::")[2] not in found]
    assert missing == []


@pytest.mark.parametrize("batch", _BATCHES)
def test_no_guard_can_be_taken_away_unnoticed(tmp_path: Path, pytestconfig: pytest.Config, batch: int) -> None:
    """The named test of each mutant fails."""
    mutants = [mutant for mutant in MUTANTS if mutant.batch == batch]
    together = [[mutant] for mutant in mutants] if pytestconfig.getoption(MUTANTS_OPTION) == "each" else [mutants]
    for number, group in enumerate(together):
        assert _survivors(_copy(tmp_path / str(number)), group) == []
