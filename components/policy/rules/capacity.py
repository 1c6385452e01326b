"""A node is not sold beyond what it has."""

from collections.abc import Iterator
from dataclasses import fields

from components.plans import PlanDocument, StepOp
from components.policy.context import PolicyContext, Room, known
from components.policy.rule import Rule, Scope
from components.policy.shapes import GUESTS, kept, need

_GROWS = frozenset({StepOp.CREATE, StepOp.UPDATE, StepOp.REPLACE})


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """Guests that stay as they are were counted when they were sold."""
    guests = list(kept(document, *GUESTS))
    if not any(step.op in _GROWS for step in guests):
        return
    node, held = known(context.node, "the reserved node"), known(context.held, "the reserved room")
    total, used = known(node.total, "the node's room"), known(node.used, "what is sold of the node's room")
    needs = [need(step) for step in guests]
    for amount in (field.name for field in fields(Room)):
        wanted = sum(getattr(room, amount) for room in needs)
        after = getattr(used, amount) - getattr(held, amount) + wanted
        if after > getattr(total, amount):
            yield f"'{node.name}' would carry {after} {amount}, and it has {getattr(total, amount)}"


RULE = Rule("capacity", "with this plan the node carries no more than it has", _check, scope=Scope.PLAN)
