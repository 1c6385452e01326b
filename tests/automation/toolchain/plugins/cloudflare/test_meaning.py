"""What Cloudflare tells against what was declared."""

from typing import Any

import pytest

from automation.toolchain.plugins.cloudflare.meaning import means

DEFAULTS = {"enabled": True, "logging": {"enabled": True}}
RULE: dict[str, Any] = {"action": "block", "expression": "true", "ratelimit": {"period": 60}}


@pytest.mark.parametrize(
    ("live", "same"),
    [
        (RULE, True),
        ({**RULE, "id": "x", "ref": "x", "version": "1", "lastUpdated": "today", "description": ""}, True),
        ({**RULE, "enabled": True, "logging": {"enabled": True}}, True),
        ({**RULE, "ratelimit": {"period": 60, "requestsToOrigin": False, "countingExpression": ""}}, True),
        ({**RULE, "enabled": False}, False),
        ({**RULE, "ratelimit": {"period": 10}}, False),
        ({**RULE, "ratelimit": {"period": 60, "countingExpression": "false"}}, False),
        ({**RULE, "actionParameters": {"response": {"content": "no"}}}, False),
        ({"action": "block", "expression": "true"}, False),
    ],
)
def test_what_cloudflare_fills_in_is_no_difference_and_all_else_is(live: dict[str, Any], *, same: bool) -> None:
    """At any depth, whether or not the member was declared."""
    assert means([RULE], [live], DEFAULTS) is same


def test_rules_are_in_order() -> None:
    """The first that matches decides, so another order is another meaning."""
    other = {**RULE, "action": "skip"}
    assert means([RULE, other], [RULE, other], DEFAULTS)
    assert not means([RULE, other], [other, RULE], DEFAULTS)
    assert not means([RULE], [RULE, other], DEFAULTS)


def test_a_member_that_is_declared_and_not_told_must_be_the_default() -> None:
    """Cloudflare leaves out what says nothing."""
    assert means({"enabled": True, "paths": []}, {}, DEFAULTS)
    assert not means({"enabled": False}, {}, DEFAULTS)
    assert not means({"ref": "mine"}, {}, DEFAULTS)
