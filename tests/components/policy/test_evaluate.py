"""All rules together."""

import ipaddress
from collections.abc import Iterator

import pytest

from components.plans import PlanDocument, StepOp
from components.policy.context import PolicyContext
from components.policy.evaluate import evaluate, refusal
from components.policy.rule import Rule, Severity
from components.policy.rules import RULES
from tests.factories.plans import NOW, facts, plan, vm_step, whole_plan
from tests.fakes.workload_specs import bot, cloud_vm, minecraft


def fails(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """Be a rule with a defect."""
    del context
    yield from (str(1 // len(document.steps)) for _ in "x")


def complains(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """Be a rule that finds five things."""
    del document, context
    yield from ("one", "two", "three", "four", "five")


@pytest.mark.parametrize("spec", [cloud_vm(), minecraft(), bot()], ids=lambda spec: spec.kind)
def test_an_ordinary_order_passes_every_rule(spec: object) -> None:
    """And its owner's own cancel does."""
    made = evaluate(whole_plan(StepOp.CREATE, spec), facts(spec))  # type: ignore[arg-type]  # one of three
    cancel = facts(spec, holds_data=True, has_consent=True, price_before_cents=450, price_after_cents=0)  # type: ignore[arg-type]  # the same
    gone = evaluate(whole_plan(StepOp.DELETE, spec), cancel)  # type: ignore[arg-type]  # the same

    assert [result.message for result in (*made, *gone) if not result.passed] == []
    assert refusal(made) is None


def test_the_order_is_always_the_same() -> None:
    """Pages and stored plans show the rules as they are listed."""
    results = evaluate(plan(), facts())

    assert [result.rule for result in results] == [rule.name for rule in RULES]
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.meaning for rule in RULES)


def test_a_rule_that_fails_refuses_the_plan() -> None:
    """It does not crash the worker, and it does not let the plan through."""
    results = evaluate(plan(), facts(), rules=(Rule("defect", "", fails), RULES[0]))

    assert not results[0].passed
    assert "ZeroDivisionError" in results[0].message
    assert results[1].passed
    assert refusal(results) == f"defect: {results[0].message}"


def test_a_fact_that_nobody_gathered_refuses_the_plan() -> None:
    """The service has no way to skip a rule."""
    results = evaluate(whole_plan(), PolicyContext(now=NOW))

    refused = {result.rule: result.message for result in results if result.refuses}
    assert "could not be checked for lack of our address pools" in refused["addresses"]
    assert {"identity", "placement", "capacity", "tags", "spend-limit"} <= refused.keys()


def test_a_pack_by_hand_may_skip_and_says_so() -> None:
    """What can be judged still is."""
    results = evaluate(whole_plan(), PolicyContext(now=NOW, pools=(ipaddress.ip_network("::/0"),)), may_skip=True)

    by_rule = {result.rule: result for result in results}
    assert by_rule["capacity"].skipped
    assert by_rule["capacity"].message == "not checked for lack of the reserved node"
    assert not by_rule["addresses"].passed
    assert not by_rule["anti-spoofing"].skipped


def test_an_advisory_rule_is_told_and_refuses_nothing() -> None:
    """Whoever approves reads it."""
    results = evaluate(plan(), facts(), rules=(Rule("hint", "", complains, Severity.ADVISORY),))

    assert not results[0].passed
    assert refusal(results) is None


def test_a_long_list_is_cut() -> None:
    """A message is for a person."""
    (result,) = evaluate(plan(), facts(), rules=(Rule("many", "", complains),))

    assert result.message == "one; two; three; and more"


def test_a_result_is_stored_as_plain_data() -> None:
    """A plan's row holds exactly these."""
    (result,) = evaluate(plan(vm_step(tags=[])), facts(), rules=(RULES[-2],))

    assert result.document() == {
        "rule": "tags",
        "severity": "mandatory",
        "passed": False,
        "message": result.message,
    }
