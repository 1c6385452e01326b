"""``pulumi preview`` typed by hand: the CLI, ``Pulumi.yaml`` and the language host."""

import json
from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from lab.client import RunningLab
from tests.fixtures.by_hand import Project
from tests.fixtures.lab_workloads import credentials, spec_of

pytestmark = pytest.mark.engine


def test_an_engineer_previews_a_customers_stack(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> None:
    """With the spec in the stack's configuration the CLI shows what the worker would do."""
    spec = spec_of("bot", lab)
    project = Project(tmp_path, toolchain, credentials(lab, spec))
    assert project.pulumi("stack", "init", "w-by-hand").returncode == 0
    assert project.pulumi("config", "set", "slipway:spec", spec.model_dump_json()).returncode == 0

    preview = project.pulumi("preview", "--json")

    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert json.loads(preview.stdout)["changeSummary"] == {"create": 10}


def test_a_stack_of_no_known_kind_is_refused(lab: RunningLab, toolchain: Toolchain, tmp_path: Path) -> None:
    """The message names the kinds there are, and nothing is planned."""
    project = Project(tmp_path, toolchain, credentials(lab, spec_of("bot", lab)))
    assert project.pulumi("stack", "init", "dev").returncode == 0

    preview = project.pulumi("preview")

    assert preview.returncode != 0
    assert "no program belongs to the stack 'dev'" in preview.stdout + preview.stderr
