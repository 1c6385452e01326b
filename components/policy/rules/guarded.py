"""No guest without its guard, and no machine that nobody would wipe."""

from collections.abc import Iterator

from components.plans import PlanDocument
from components.policy.context import PolicyContext
from components.policy.rule import Rule, Scope
from components.policy.shapes import (
    ADDRESS_SET,
    FIREWALL_OPTIONS,
    GUESTS,
    INSTALLATION,
    MACHINE_CLAIM,
    WIPE,
    guest_id,
    items,
    kept,
    label,
)

_FIRST_INTERFACE = "ipfilter-net0"


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """An address set that is missing or empty would make Proxmox VE's filter let everything through or nothing."""
    del context
    switched = {guest_id(step) for step in kept(document, FIREWALL_OPTIONS)}
    listed = {
        guest_id(step)
        for step in kept(document, ADDRESS_SET)
        if step.inputs.get("name") == _FIRST_INTERFACE and items(step.inputs, "cidrs", step)
    }
    for step in kept(document, *GUESTS):
        if guest_id(step) not in switched:
            yield f"{label(step)} has no firewall options"
        if guest_id(step) not in listed:
            yield f"{label(step)} has no set '{_FIRST_INTERFACE}' of addresses that it may use"
    for step in kept(document, INSTALLATION):
        for needed, lack in ((MACHINE_CLAIM, "nobody holds its machine"), (WIPE, "nothing would wipe its machine")):
            if not any(kept(document, needed)):
                yield f"{label(step)}: {lack}"


RULE = Rule(
    "guarded",
    "every guest has firewall options and a set of the addresses it may use, every installation a claim and a wipe",
    _check,
    scope=Scope.PLAN,
)
