"""The page about policy says what the code does."""

import re
from pathlib import Path

from components.policy.platform import PLATFORM_RULES
from components.policy.rules import RULES
from components.policy.settings import PolicySettings

PAGE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")


def test_every_rule_has_its_row_in_the_order_in_which_it_is_asked() -> None:
    """A rule that is added or renamed is documented in the same change."""
    rows = PAGE.split("## Rules")[1].split("## Approvals")[0]

    assert re.findall(r"^\| `([a-z-]+)` \|", rows, re.MULTILINE) == [rule.name for rule in (*RULES, *PLATFORM_RULES)]


def test_every_setting_has_its_row_with_its_default() -> None:
    """And none is described that does not exist."""
    rows = PAGE.split("## Settings")[1].split("## By hand")[0]

    found = {name: int(default) for name, default in re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", rows, re.MULTILINE)}
    assert found == PolicySettings().model_dump()
