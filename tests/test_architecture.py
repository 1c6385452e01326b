"""Rules of the tree that no linter holds."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALLOWED_FOLDERS = {"api", "automation", "components", "docs", "lab", "pxe", "stacks", "tests"}
SOURCES = [
    path
    for folder in sorted(ALLOWED_FOLDERS)
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and path.suffix in {".py", ".md", ".yaml", ".toml", ".go", ".mod"}
]


def test_importing_the_api_and_the_worker_loads_no_pulumi() -> None:
    """Neither the API nor a Celery parent ever has the engine's SDK in its process: it does not survive a fork."""
    program = (
        "import sys, api.app, api.serve, automation.services, automation.tasks.registry, automation.engine.client;"
        "print([name for name in sys.modules if name.partition('.')[0].startswith('pulumi')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )

    assert answer.stdout.strip() == "[]"


def test_there_is_no_other_top_level_folder() -> None:
    """A newcomer finds everything under the names that were agreed."""
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - whichever git made this clone
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    ).stdout.splitlines()
    folders = {name.split("/")[0] for name in tracked if "/" in name}

    assert folders <= ALLOWED_FOLDERS | {".ci"}


def test_every_decision_names_a_test_that_exists() -> None:
    """An architecture decision record without a proof is an opinion."""
    for record in sorted((ROOT / "docs" / "adr").glob("*.md")):
        named = re.findall(r"tests/[\w/.-]+\.py", record.read_text(encoding="utf-8"))

        assert named, f"{record.name} names no test"
        assert [name for name in named if not (ROOT / name).exists()] == [], record.name


def test_no_committed_file_names_a_registry_host() -> None:
    """Where packages come from is the business of whoever installs them."""
    hosts = re.compile(
        "|".join(("pypi" + r"\.org", "python" + "hosted", "proxy" + r"\.golang", "registry" + r"\.npmjs"))
    )
    naming = [path.relative_to(ROOT).as_posix() for path in SOURCES if hosts.search(path.read_text(encoding="utf-8"))]

    assert naming == []
    assert not hosts.search((ROOT / "requirements.lock").read_text(encoding="utf-8"))


def test_the_readme_gives_the_command_that_ci_runs() -> None:
    """CI runs what the README tells a reader to run, and nothing else that matters hides elsewhere."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "make test" in script
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
