"""The rule known-types."""

import pytest

from components.plans import StepOp
from components.policy.rules.known_types import RULE
from tests.factories.plans import broken, facts, plan, step, whole_plan

FILE = "proxmoxve:storage/fileLegacy:FileLegacy"


def test_our_own_workloads_pass() -> None:
    """Every type that the components use is known."""
    assert broken(RULE, whole_plan(), facts()) is None


@pytest.mark.parametrize("token", [FILE, "other:index/vmLegacy:VmLegacy", "command:local:Command"])
def test_a_type_that_no_rule_knows_is_refused(token: str) -> None:
    """A provider's other resource, another provider's of the same name, and one that runs commands."""
    message = broken(RULE, plan(step(token, {})), facts())

    assert message is not None
    assert f"'{token}', which no rule knows" in message


def test_it_may_be_removed_with_the_owners_consent_only() -> None:
    """It may hold something; and a workload that has one must still be able to go."""
    removal = plan(step(FILE, {}, StepOp.DELETE))

    assert broken(RULE, removal, facts()) is not None
    assert broken(RULE, removal, facts(has_consent=True)) is None


def test_one_that_is_left_alone_does_not_hinder_the_rest() -> None:
    """A repair of the firewall is not held up by it."""
    assert broken(RULE, plan(step(FILE, {}, StepOp.SAME)), facts()) is None
