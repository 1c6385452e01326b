"""The rule addresses."""

import pytest

from components.plans import PlanStep, StepOp
from components.policy.rules.addresses import RULE
from tests.factories.plans import broken, container_step, facts, plan, record_step, set_step, vm_step, whole_plan
from tests.fakes.workload_specs import bot

FOREIGN, NEIGHBOUR = "198.51.100.7", "203.0.113.26"


def with_ipv4(address: str) -> dict[str, object]:
    """Return an initialization with this address."""
    return {"ipConfigs": [{"ipv4": {"address": address}}]}


@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.SAME, StepOp.DELETE])
def test_our_own_workloads_pass(op: StepOp) -> None:
    """Addresses, prefix and link-local address of a whole plan, for both kinds of guest."""
    assert broken(RULE, whole_plan(op), facts()) is None
    assert broken(RULE, whole_plan(op, bot()), facts(bot())) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda address: vm_step(initialization=with_ipv4(f"{address}/24")),
        lambda address: container_step(initialization=with_ipv4(f"{address}/32")),
        lambda address: set_step(cidrs=[{"name": address}]),
        lambda address: record_step(content=address),
    ],
    ids=["virtual machine", "container", "address set", "record"],
)
@pytest.mark.parametrize(
    ("address", "words"),
    [(FOREIGN, "is in none of our address pools"), (NEIGHBOUR, "is not reserved for this workload")],
)
def test_an_address_of_others_is_refused(make: object, address: str, words: str) -> None:
    """Wherever it stands; ours but another customer's is told apart from one that is not ours."""
    assert callable(make)
    made = make(address)
    assert isinstance(made, PlanStep)
    message = broken(RULE, plan(made), facts())

    assert message is not None
    assert address in message
    assert words in message


@pytest.mark.parametrize("network", ["0.0.0.0/0", "203.0.113.0/24", "::/0", "2001:db8::/32", "fe80::/64", "fe80::1"])
def test_a_set_is_not_wider_than_what_is_reserved(network: str) -> None:
    """A whole network, or another's link-local address, would let a guest pose as its neighbours."""
    assert broken(RULE, plan(set_step(cidrs=[{"name": network}])), facts()) is not None


@pytest.mark.parametrize("value", ["dhcp", "auto", "[secret]", None])
def test_what_is_no_address_is_refused(value: str | None) -> None:
    """Nobody can say what such a guest would answer to."""
    config = {"ipConfigs": [{"ipv4": {"address": value}}]}
    message = broken(RULE, plan(vm_step(initialization=config)), facts())

    assert message is not None
    assert "is not an address" in message


def test_other_records_lead_to_no_address_of_ours() -> None:
    """An alias could be turned elsewhere by somebody else."""
    message = broken(RULE, plan(record_step(type="CNAME", content="elsewhere.example")), facts())

    assert message is not None
    assert "'CNAME'" in message
