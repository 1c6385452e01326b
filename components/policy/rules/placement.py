"""A workload is where its room was reserved, on a node for its kind."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.plans import PlanDocument
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import OF_A_MACHINE, ON_A_NODE, VM, kept, label, section
from components.specs import WorkloadKind

CLASSES: Mapping[WorkloadKind, str] = MappingProxyType(
    {WorkloadKind.CLOUD_VM: "cloud", WorkloadKind.GAME_SERVER: "game", WorkloadKind.BOT: "bot"}
)
"""Which class of node each kind of workload runs on."""


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    yield from _of_another_kind(document, context)
    steps = list(kept(document, *ON_A_NODE))
    if not steps or context.kind is WorkloadKind.BARE_METAL:
        return
    node, kind = known(context.node, "the reserved node"), known(context.kind, "the workload's kind")
    if node.node_class != CLASSES[kind]:
        yield f"the node '{node.name}' is of class '{node.node_class}', and a {kind} belongs on '{CLASSES[kind]}'"
    for step in steps:
        places = [step.inputs.get("nodeName")]
        if step.type == VM:
            places.append(section(step, "clone").get("nodeName") or node.name)
        for place in places:
            if place != node.name:
                yield f"{label(step)} is on {place!r}, and '{node.name}' is reserved for this workload"


def _of_another_kind(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """A machine of one's own has nothing on a node, and a guest no machine."""
    for step in kept(document, *OF_A_MACHINE, *ON_A_NODE):
        kind = known(context.kind, "the workload's kind")
        if (step.type in OF_A_MACHINE) is not (kind is WorkloadKind.BARE_METAL):
            yield f"{label(step)} is no part of a {kind}"


RULE = Rule("placement", "every resource is on the reserved node, and the node is of the workload's class", _check)
