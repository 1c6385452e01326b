"""The rules, asked about a machine of one's own."""

import dataclasses
import ipaddress
from typing import Any
from uuid import UUID

import pytest

from components.plans import ChangeKind, PlanDocument, PlanStep, PropertyChange, StepOp
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate
from components.policy.rules import RULES
from components.policy.shapes import BOOT_PROFILE, INSTALLATION, MACHINE_CLAIM, WIPE
from components.specs import WorkloadKind
from tests.factories.plans import facts, plan, record_step, step, vm_step
from tests.fakes.workload_specs import bare_metal
from tests.fixtures.machine_stack import inputs_of

SPEC = bare_metal()
INPUTS = inputs_of(SPEC)
TYPES = {"claim": MACHINE_CLAIM, "wipe": WIPE, "profile": BOOT_PROFILE, "installation": INSTALLATION}
CONTEXT = dataclasses.replace(
    facts(),
    kind=WorkloadKind.BARE_METAL,
    machine=SPEC.machine,
    node=None,
    vmid=None,
    held=None,
    fqdn=SPEC.dns.fqdn,
    addresses=(ipaddress.ip_network(SPEC.network.ipv4.address), SPEC.network.ipv6.network),
)
OTHER = str(UUID(int=7))


def machine_plan(op: StepOp = StepOp.CREATE, **changes: dict[str, Any]) -> PlanDocument:
    """A plan of a whole machine; ``changes`` replace inputs, by resource."""
    steps = [step(TYPES[name], {**INPUTS[name], **changes.get(name, {})}, op, name) for name in TYPES]
    record = record_step(op, name=SPEC.dns.fqdn)
    return plan(*steps, record)


def update(*paths: str) -> PlanStep:
    """An installation's update that changes these properties."""
    changes = tuple(PropertyChange(path=path, kind=ChangeKind.CHANGED) for path in paths)
    return step(INSTALLATION, INPUTS["installation"], StepOp.UPDATE).model_copy(update={"changes": changes})


def broken(document: PlanDocument, context: PolicyContext = CONTEXT) -> dict[str, str]:
    """The rules that a plan breaks, with what they say."""
    return {result.rule: result.message for result in evaluate(document, context, rules=RULES) if not result.passed}


@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.SAME, StepOp.DELETE])
def test_a_machine_passes_every_rule(op: StepOp) -> None:
    """Ordered, left alone, and taken down before it was delivered."""
    assert broken(machine_plan(op)) == {}


@pytest.mark.parametrize("name", TYPES)
def test_another_machine_is_not_touched(name: str) -> None:
    """Whichever of the resources names it, and not even to be removed."""
    for op in (StepOp.CREATE, StepOp.DELETE):
        message = broken(machine_plan(op, **{name: {"machine_id": OTHER}}))["identity"]
        assert f"{SPEC.machine.machine_id} is held for this workload" in message


@pytest.mark.parametrize("field", ["serial", "boot_mac"])
def test_the_claim_names_the_hardware_that_is_held(field: str) -> None:
    """It is what the machine is checked against before anything is written."""
    assert f"has the {field} 'x'" in broken(machine_plan(claim={field: "x"}))["identity"]


def test_addresses_of_others_are_refused() -> None:
    """On the disk, and as where the machine is looked for."""
    network = {"ipv4": {"address": "203.0.113.26"}, "ipv6": {"address": "2001:db8:0:20::2"}}
    profile = {"profile": {**INPUTS["profile"]["profile"], "network": network}}
    assert "203.0.113.26/32 ('profile'" in broken(machine_plan(profile=profile))["addresses"]
    assert "('address'" in broken(machine_plan(installation={"address": "203.0.113.26"}))["addresses"]
    assert "is not an address" in broken(machine_plan(profile={"profile": {"network": {}}}))["addresses"]


def test_guests_and_machines_do_not_mix() -> None:
    """A machine has nothing on a node, a guest no machine."""
    assert "is no part of a bare_metal" in broken(plan(vm_step()))["placement"]
    assert "is no part of a cloud_vm" in broken(machine_plan(), facts())["placement"]


@pytest.mark.parametrize("missing", [MACHINE_CLAIM, WIPE])
def test_no_installation_without_claim_and_wipe(missing: str) -> None:
    """Its disks would be handed on as they are."""
    steps = tuple(one for one in machine_plan().steps if one.type != missing)
    assert "its machine" in broken(PlanDocument(steps=steps))["guarded"]


@pytest.mark.parametrize("path", ["image", "profile_digest", "installation"])
def test_installing_again_needs_the_owners_consent(path: str) -> None:
    """So does an update that names nothing: it could be anything."""
    for one in (update(path), update("started", path), update()):
        document = plan(*machine_plan(StepOp.SAME).steps[:3], one)
        delivered = dataclasses.replace(CONTEXT, holds_data=True)
        assert "would be written anew with all that it holds" in broken(document, delivered)["data-loss"]
        assert document.destroys_data
        assert broken(document, dataclasses.replace(delivered, has_consent=True)) == {}


def test_power_rescue_and_boot_order_lose_nothing() -> None:
    """They leave the disks alone."""
    document = plan(*machine_plan(StepOp.SAME).steps[:3], update("started", "rescue", "boots_from", "address"))
    assert broken(document, dataclasses.replace(CONTEXT, holds_data=True)) == {}
    assert not document.destroys_data


@pytest.mark.parametrize("kind", [WIPE, INSTALLATION])
def test_taking_a_machine_down_needs_the_owners_consent(kind: str) -> None:
    """The wipe as well as the installation."""
    one = step(kind, INPUTS["wipe"], StepOp.DELETE)
    assert "data-loss" in broken(plan(one), dataclasses.replace(CONTEXT, holds_data=True))
