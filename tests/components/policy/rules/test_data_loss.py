"""The rule data-loss."""

from datetime import timedelta

import pytest

from components.plans import StepOp
from components.policy.rules.data_loss import RULE
from components.policy.settings import PolicySettings
from tests.factories.plans import NOW, broken, facts, plan, record_step, vm_step, whole_plan

LOSSES = (StepOp.REPLACE, StepOp.DELETE)


@pytest.mark.parametrize("op", LOSSES)
def test_data_goes_only_with_consent_or_a_fresh_backup(op: StepOp) -> None:
    """Without either, the message names the resource and what is lacking."""
    message = broken(RULE, plan(vm_step(op)), facts(holds_data=True))

    assert message is not None
    assert "VmLegacy 'workload'" in message
    assert "its owner has not agreed, and there is no backup" in message


@pytest.mark.parametrize("op", LOSSES)
def test_the_owners_own_wish_is_enough(op: StepOp) -> None:
    """Somebody who cancels asks to lose it, so no backup is asked for."""
    assert broken(RULE, plan(vm_step(op)), facts(holds_data=True, has_consent=True)) is None


@pytest.mark.parametrize(
    ("hours", "passes"),
    [(0, True), (24, True), (24.01, False), (-1, False)],
    ids=["now", "at the limit", "old", "ahead"],
)
def test_a_backup_counts_while_it_is_young(hours: float, passes: bool) -> None:  # noqa: FBT001 - a parameter of cases
    """A backup of the future is a wrong clock and proves nothing."""
    context = facts(holds_data=True, newest_backup_at=NOW - timedelta(hours=hours))

    assert (broken(RULE, plan(vm_step(StepOp.REPLACE)), context) is None) is passes


def test_the_administrator_says_how_young() -> None:
    """The limit comes from the policy in force."""
    context = facts(
        holds_data=True, newest_backup_at=NOW - timedelta(hours=3), settings=PolicySettings(backup_max_age_hours=2)
    )

    assert broken(RULE, plan(vm_step(StepOp.REPLACE)), context) is not None


def test_a_guest_that_was_never_delivered_holds_nothing() -> None:
    """The rest of a creation that failed may be replaced."""
    assert broken(RULE, plan(vm_step(StepOp.REPLACE)), facts(holds_data=False)) is None


def test_what_holds_no_data_may_go() -> None:
    """A record or a new guest loses nothing."""
    assert broken(RULE, plan(record_step(StepOp.DELETE)), facts(holds_data=True)) is None
    assert broken(RULE, whole_plan(), facts(holds_data=True)) is None
