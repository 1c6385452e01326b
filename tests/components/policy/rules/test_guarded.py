"""The rule guarded."""

import pytest

from components.plans import StepOp
from components.policy.rules.guarded import RULE
from tests.factories.plans import broken, facts, options_step, plan, set_step, vm_step, whole_plan
from tests.fakes.workload_specs import bot


def test_our_own_workloads_pass() -> None:
    """Virtual machines and containers, new or unchanged."""
    assert broken(RULE, whole_plan(), facts()) is None
    assert broken(RULE, whole_plan(StepOp.SAME, bot()), facts(bot())) is None


@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.UPDATE, StepOp.SAME])
def test_a_guest_without_firewall_is_refused(op: StepOp) -> None:
    """No options and no set of addresses: both are named."""
    message = broken(RULE, plan(vm_step(op)), facts())

    assert message is not None
    assert "has no firewall options" in message
    assert "has no set 'ipfilter-net0'" in message


def test_the_guard_does_not_go_before_its_guest() -> None:
    """A plan that takes the options away and leaves the guest is refused."""
    message = broken(RULE, plan(vm_step(StepOp.SAME), options_step(StepOp.DELETE), set_step(StepOp.SAME)), facts())

    assert message == "VmLegacy 'workload' has no firewall options"


def test_another_guests_firewall_does_not_count() -> None:
    """Options and set must be of the same VMID."""
    assert broken(RULE, plan(vm_step(), options_step(vmId=999), set_step()), facts()) is not None


def test_an_empty_set_is_none() -> None:
    """With it, the filter would have nothing to go by."""
    assert broken(RULE, plan(vm_step(), options_step(), set_step(cidrs=[])), facts()) is not None


def test_a_destroy_passes() -> None:
    """Everything goes together."""
    assert broken(RULE, whole_plan(StepOp.DELETE), facts()) is None
