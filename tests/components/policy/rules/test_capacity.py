"""The rule capacity."""

from typing import Any

import pytest

from components.plans import StepOp
from components.policy.context import NodeFacts, Room
from components.policy.rules.capacity import RULE
from tests.factories.plans import broken, container_step, facts, plan, vm_step, whole_plan
from tests.fakes.workload_specs import bot

FULL = Room(cores=10, memory_mib=10_240, disk_gib=120)


def full_node() -> NodeFacts:
    """Return a node that is sold out to the last core by the reservation in hand."""
    return NodeFacts(name="pve-vm-1", site="fsn", node_class="cloud", total=FULL, used=FULL)


def test_what_was_reserved_fits() -> None:
    """Its room is counted once, on a node that is full with it."""
    assert broken(RULE, whole_plan(), facts(node=full_node())) is None
    assert broken(RULE, whole_plan(StepOp.CREATE, bot()), facts(bot(), node=full_node())) is None


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"cpu": {"cores": 3}}, "11 cores"),
        ({"cpu": {"cores": 2, "sockets": 2}}, "12 cores"),
        ({"memory": {"dedicated": 2049}}, "10241 memory_mib"),
        ({"disks": [{"size": 20}, {"size": 1}]}, "121 disk_gib"),
    ],
)
@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.UPDATE])
def test_more_than_the_node_has_is_refused(op: StepOp, inputs: dict[str, Any], words: str) -> None:
    """Cores, sockets, memory and every disk count."""
    message = broken(RULE, plan(vm_step(op, **inputs)), facts(node=full_node()))

    assert message is not None
    assert f"'pve-vm-1' would carry {words}" in message


def test_a_container_counts_by_its_one_disk() -> None:
    """Its disk is an object, not a list."""
    assert broken(RULE, plan(container_step(disk={"size": 5})), facts(bot(), node=full_node())) is not None


def test_what_stays_as_it_is_is_not_asked() -> None:
    """A node that was shrunk since does not hinder the guests that are there."""
    small = NodeFacts("pve-vm-1", "cloud", Room(1, 1, 1), FULL)
    assert broken(RULE, whole_plan(StepOp.SAME), facts(node=small)) is None


def test_a_size_that_cannot_be_read_is_refused() -> None:
    """An unknown size could be any."""
    message = broken(RULE, plan(vm_step(memory={})), facts())

    assert message is not None
    assert "'dedicated' of VmLegacy 'workload' is not a whole number" in message
