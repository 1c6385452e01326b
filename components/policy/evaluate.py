"""Asks every rule about a plan."""

from collections.abc import Sequence
from itertools import islice

from components.plans import PlanDocument
from components.policy.context import MissingFact, PolicyContext
from components.policy.rule import Rule, RuleResult
from components.policy.rules import RULES

_TOLD = 3
"""A plan that breaks a rule twenty times is not told twenty times."""


def evaluate(
    document: PlanDocument, context: PolicyContext, *, rules: Sequence[Rule] = RULES, may_skip: bool = False
) -> tuple[RuleResult, ...]:
    """Return what each rule says, in the rules' own order.

    A rule that fails itself refuses the plan: what cannot be judged is not applied.

    Args:
        document: the plan.
        context: the facts around it.
        rules: which rules to ask.
        may_skip: let a rule pass, and say so, where nobody gathered what it needs. For a policy pack by hand only: the
            service gathers everything, and what it lacks is a fault of its own that must not open a gate.
    """
    return tuple(_ask(rule, document, context, may_skip=may_skip) for rule in rules)


def refusal(results: Sequence[RuleResult]) -> str | None:
    """Return why a plan may not be applied, by the first mandatory rule that it breaks; None if it may."""
    return next((f"{result.rule}: {result.message}" for result in results if result.refuses), None)


def _ask(rule: Rule, document: PlanDocument, context: PolicyContext, *, may_skip: bool) -> RuleResult:
    """Keep what was found before something was missing: it is wrong all the same."""
    wrong: list[str] = []
    try:
        wrong.extend(islice(rule.check(document, context), _TOLD + 1))
    except MissingFact as missing:
        if may_skip and not wrong:
            message = f"not checked for lack of {missing}"
            return RuleResult(rule.name, rule.severity, passed=True, message=message, skipped=True)
        wrong.append(f"it could not be checked for lack of {missing}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the plan was not judged and so must not be applied
        wrong.append(f"it could not be checked ({type(error).__name__}: {error})")
    told = "; ".join(wrong[:_TOLD]) + ("; and more" if len(wrong) > _TOLD else "")
    return RuleResult(rule.name, rule.severity, passed=not wrong, message=told)
