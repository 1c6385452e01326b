"""The rule spend-limit."""

from datetime import timedelta

import pytest

from components.policy.rules.spend import RULE
from components.policy.settings import PolicySettings
from tests.factories.plans import broken, facts, whole_plan

SETTINGS = PolicySettings(account_spend_cents=10_000, new_account_spend_cents=2_000, new_account_hours=72)
NEW, OLD = timedelta(hours=71), timedelta(hours=72)


@pytest.mark.parametrize(
    ("age", "others", "passes"), [(NEW, 1_500, True), (NEW, 1_501, False), (OLD, 9_500, True), (OLD, 9_501, False)]
)
def test_the_limit_is_of_the_account_and_its_age(age: timedelta, others: int, passes: bool) -> None:  # noqa: FBT001 - a parameter of cases
    """The last cent is allowed; a new account has its own, lower limit."""
    context = facts(settings=SETTINGS, account_age=age, other_spend_cents=others, price_after_cents=500)

    assert (broken(RULE, whole_plan(), context) is None) is passes


@pytest.mark.parametrize("after", [0, 499, 500])
def test_what_makes_nothing_dearer_passes(after: int) -> None:
    """Whoever is over the limit may still cancel, shrink and repair."""
    context = facts(
        settings=SETTINGS, other_spend_cents=50_000, price_before_cents=500, price_after_cents=after, account_age=NEW
    )

    assert broken(RULE, whole_plan(), context) is None


def test_the_message_has_the_numbers() -> None:
    """Whoever reads it can decide about the limit."""
    message = broken(RULE, whole_plan(), facts(settings=SETTINGS, account_age=NEW, other_spend_cents=2_000))

    assert message == "the account would spend 2450 cents a month, and a new account may spend 2000"
