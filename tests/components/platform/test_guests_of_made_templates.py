"""Customers' guests on nodes whose storages and templates a platform stack has made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from components.specs.platform.node_templates import TemplateSpec
from tests.components.platform.test_node_templates_on_the_engine import BOT, CLOUD, debian, python_bot, templates
from tests.fixtures.installed_nodes import InstalledLab, NodeStack
from tests.fixtures.lab_workloads import credentials, spec_of
from tests.fixtures.live_stack import LiveStack

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


@pytest.mark.parametrize(("kind", "node", "template"), [("cloud_vm", CLOUD, debian()), ("bot", BOT, python_bot())])
def test_a_guest_comes_up_from_a_template_that_a_stack_has_made(  # noqa: PLR0913, PLR0917 - the cases' columns
    installed_lab: InstalledLab,
    node_stack: Callable[[str], NodeStack],
    toolchain: Toolchain,
    tmp_path: Path,
    kind: str,
    node: str,
    template: TemplateSpec,
) -> None:
    """It runs, stays the same, and leaves the template as it was."""
    stack = node_stack(node)
    stack.up(templates(node, template))
    before = installed_lab.truth.guests(templates=True)
    spec = spec_of(kind, installed_lab)
    guests = LiveStack(tmp_path / "guest", {**toolchain.environment(), **credentials(installed_lab, spec)})
    guests.up(spec)
    (guest,) = installed_lab.truth.guests()
    assert (guest.node, guest.vmid, guest.status) == (node, spec.placement.vmid, "running")
    assert guests.preview(spec, refresh=True).steps == ()
    guests.destroy()
    assert installed_lab.truth.guests(templates=True) == before
    assert stack.pending(templates(node, template), refresh=True) == []
