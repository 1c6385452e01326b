"""After a crash, and in a sweep for orphans, a resource says itself whose it is."""

from collections.abc import Iterator

from components.plans import PlanDocument
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import DNS_RECORD, GUESTS, kept, label

_OURS = "slipway"


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    for step in kept(document, *GUESTS):
        tags = step.inputs.get("tags") or ()
        for tag in (_OURS, _order(context)):
            if tag not in tags:
                yield f"{label(step)} lacks the tag '{tag}'"
    for step in kept(document, DNS_RECORD):
        if step.inputs.get("comment") != _order(context):
            yield f"{label(step)} lacks the comment '{_order(context)}'"


def _order(context: PolicyContext) -> str:
    return f"order-{known(context.order_id, 'the order')}"


RULE = Rule("tags", "guests carry our tag and their order's, DNS records their order's", _check)
