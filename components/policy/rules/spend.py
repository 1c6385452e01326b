"""An account does not run up more than we would lose gladly."""

from collections.abc import Iterator
from datetime import timedelta

from components.plans import PlanDocument
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule, Scope


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """Only what makes an account dearer can break the limit: a cancellation always may."""
    del document
    after = known(context.price_after_cents, "the price")
    if after <= known(context.price_before_cents, "the price"):
        return
    settings = context.settings
    is_new = known(context.account_age, "the account's age") < timedelta(hours=settings.new_account_hours)
    limit = settings.new_account_spend_cents if is_new else settings.account_spend_cents
    total = known(context.other_spend_cents, "the account's spend") + after
    if total > limit:
        whose = "a new account" if is_new else "an account"
        yield f"the account would spend {total} cents a month, and {whose} may spend {limit}"


RULE = Rule(
    "spend-limit", "an account stays within its monthly limit, a new one within a lower", _check, scope=Scope.PLAN
)
