"""Customers' guests on nodes whose storages and templates a platform stack has made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from automation.toolchain import Toolchain
from components.specs.platform.node_templates import TemplateSpec
from tests.components.platform.test_node_templates_on_the_engine import BOT, CLOUD, debian, python_bot, templates
from tests.fixtures.bare_nodes import BareLab, NodeStack
from tests.fixtures.lab_workloads import credentials, spec_of
from tests.fixtures.live_stack import LiveStack

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("kind", "node", "template"), [("cloud_vm", CLOUD, debian()), ("bot", BOT, python_bot())])
def test_a_guest_comes_up_from_a_template_that_a_stack_has_made(  # noqa: PLR0913, PLR0917 - the cases' columns
    bare_lab: BareLab,
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
    before = bare_lab.truth.guests(templates=True)
    spec = spec_of(kind, bare_lab)
    guests = LiveStack(tmp_path / "guest", {**toolchain.environment(), **credentials(bare_lab, spec)})
    guests.up(spec)
    (guest,) = bare_lab.truth.guests()
    assert (guest.node, guest.vmid, guest.status) == (node, spec.placement.vmid, "running")
    assert guests.preview(spec, refresh=True).steps == ()
    guests.destroy()
    assert bare_lab.truth.guests(templates=True) == before
    assert stack.pending(templates(node, template), refresh=True) == []
