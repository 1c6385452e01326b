"""What no rule knows, no rule judges."""

from collections.abc import Iterator

from components.plans import PlanDocument, StepOp
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import KNOWN_TYPES, label


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """What should never have been made may be removed with the owner's consent: else nobody could get rid of it."""
    for step in document.steps:
        if step.type in KNOWN_TYPES or step.op is StepOp.SAME:
            continue
        if step.op is StepOp.DELETE and known(context.has_consent, "the owner's consent"):
            continue
        yield f"{label(step)} is of the type '{step.type}', which no rule knows"


RULE = Rule("known-types", "a workload consists of the resource types that the rules know", _check)
