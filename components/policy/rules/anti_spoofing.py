"""A guest sends under its own addresses only."""

from collections.abc import Iterator

from components.plans import PlanDocument
from components.policy.context import PolicyContext
from components.policy.rule import Rule
from components.policy.shapes import FIREWALL_OPTIONS, GUESTS, interfaces, kept, label

_WANTED = {
    "enabled": True,
    "macfilter": True,
    "ipfilter": True,
    "inputPolicy": "DROP",
    # A guest that answers DHCP or advertises routes can pose as the gateway.
    "dhcp": False,
    "radv": False,
}
"""All of them said outright: what is left out is the provider's default, which need not be ours."""


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    del context
    for step in kept(document, FIREWALL_OPTIONS):
        for name, wanted in _WANTED.items():
            if step.inputs.get(name) != wanted:
                yield f"{label(step)} has '{name}' {step.inputs.get(name)!r}, and it must be {wanted!r}"
    for step in kept(document, *GUESTS):
        for number, interface in enumerate(interfaces(step)):
            if interface.get("firewall") is not True:
                yield f"interface {number} of {label(step)} is not behind the firewall"


RULE = Rule(
    "anti-spoofing",
    "MAC and IP filters are on, what comes in is dropped unless declared, and every interface is behind the firewall",
    _check,
)
