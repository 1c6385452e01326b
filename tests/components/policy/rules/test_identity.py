"""The rule identity."""

import pytest

from components.plans import PlanStep, StepOp
from components.policy.rules.identity import RULE
from tests.factories.plans import (
    broken,
    container_step,
    facts,
    options_step,
    plan,
    record_step,
    set_step,
    vm_step,
    whole_plan,
)
from tests.fakes.workload_specs import bot

OTHER_MAC = "02:53:00:00:00:CA"


@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.DELETE])
def test_our_own_workloads_pass(op: StepOp) -> None:
    """Both kinds of guest, made and removed."""
    assert broken(RULE, whole_plan(op), facts()) is None
    assert broken(RULE, whole_plan(op, bot()), facts(bot())) is None


@pytest.mark.parametrize(
    "step",
    [
        vm_step(vmId=202),
        vm_step(StepOp.DELETE, vmId=202),
        container_step(vmId=202),
        options_step(vmId=202),
        set_step(vmId=202),
    ],
    ids=["machine", "machine deleted", "container", "options", "set"],
)
def test_another_guest_is_not_touched(step: PlanStep) -> None:
    """Not even to be deleted."""
    message = broken(RULE, plan(step), facts())

    assert message is not None
    assert "has the VMID 202, and 201 is reserved for this workload" in message


def test_another_mac_address_is_refused() -> None:
    """Two guests with one address would steal each other's packets."""
    message = broken(RULE, plan(vm_step(networkDevices=[{"macAddress": OTHER_MAC, "firewall": True}])), facts())

    assert message is not None
    assert OTHER_MAC in message


def test_letter_case_of_a_mac_address_is_nothing() -> None:
    """Providers write it either way."""
    lower = [{"macAddress": "02:53:00:00:00:c9", "firewall": True}]
    assert broken(RULE, plan(vm_step(networkDevices=lower)), facts()) is None


def test_a_second_interface_is_refused() -> None:
    """Its filter would have no set of addresses."""
    devices = [{"macAddress": "02:53:00:00:00:C9"}, {"macAddress": OTHER_MAC}]
    message = broken(RULE, plan(vm_step(networkDevices=devices)), facts())

    assert message is not None
    assert "2 network interfaces" in message


def test_another_name_is_refused() -> None:
    """A record for another's name would take their visitors."""
    message = broken(RULE, plan(record_step(name="www.play.example")), facts())

    assert message is not None
    assert "'www.play.example'" in message


def test_a_guest_without_a_number_cannot_be_judged() -> None:
    """It is refused, and the message says what is missing."""
    message = broken(RULE, plan(options_step(vmId=None)), facts())

    assert message is not None
    assert "'vmId' or 'containerId'" in message
