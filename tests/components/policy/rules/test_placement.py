"""The rule placement."""

import dataclasses

import pytest

from components.plans import PlanStep, StepOp
from components.policy.rules.placement import RULE
from components.specs import WorkloadKind
from tests.factories.plans import broken, facts, options_step, plan, set_step, vm_step, whole_plan
from tests.fakes.workload_specs import bot, minecraft

CLONE_ELSEWHERE = {"vmId": 9000, "nodeName": "pve-vm-2"}


def test_our_own_workloads_pass() -> None:
    """Each kind on a node of its class; DNS records have no node."""
    for spec in (None, bot(), minecraft()):
        assert broken(RULE, whole_plan(StepOp.CREATE, spec), facts(spec)) is None


@pytest.mark.parametrize(
    "step",
    [
        vm_step(nodeName="pve-vm-2"),
        options_step(nodeName="pve-vm-2"),
        set_step(nodeName=None),
        vm_step(clone=CLONE_ELSEWHERE),
    ],
    ids=["guest", "options", "nowhere", "template"],
)
def test_another_node_is_refused(step: PlanStep) -> None:
    """Room was reserved on one node, and the template lies there."""
    message = broken(RULE, plan(step), facts())

    assert message is not None
    assert "'pve-vm-1' is reserved for this workload" in message


def test_a_node_of_another_class_is_refused() -> None:
    """A customer's own kernel does not run beside game servers."""
    node = facts().node
    assert node is not None
    message = broken(RULE, whole_plan(), facts(node=dataclasses.replace(node, node_class="game")))

    assert message is not None
    assert f"a {WorkloadKind.CLOUD_VM} belongs on 'cloud'" in message
