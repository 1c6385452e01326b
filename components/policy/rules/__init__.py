"""The rules, one a module, in the order in which they are asked and shown."""

from components.policy.rule import Rule
from components.policy.rules import (
    addresses,
    anti_spoofing,
    capacity,
    data_loss,
    guarded,
    identity,
    known_types,
    placement,
    spend,
    tags,
)

RULES: tuple[Rule, ...] = (
    data_loss.RULE,
    known_types.RULE,
    identity.RULE,
    addresses.RULE,
    anti_spoofing.RULE,
    guarded.RULE,
    placement.RULE,
    capacity.RULE,
    tags.RULE,
    spend.RULE,
)
"""Every rule there is; a new one is added here and nowhere else."""
