"""The rule tags."""

import pytest

from components.plans import StepOp
from components.policy.rules.tags import RULE
from tests.factories.plans import broken, facts, plan, record_step, vm_step, whole_plan
from tests.fakes.workload_specs import ORDER_ID, bot

OURS = "slipway"
ORDERS = f"order-{ORDER_ID}"


def test_our_own_workloads_pass() -> None:
    """Both kinds of guest and their records."""
    assert broken(RULE, whole_plan(), facts()) is None
    assert broken(RULE, whole_plan(StepOp.CREATE, bot()), facts(bot())) is None


@pytest.mark.parametrize(("tags", "missing"), [([OURS], ORDERS), ([ORDERS], OURS), (None, OURS)])
def test_a_guest_without_its_tags_is_refused(tags: list[str] | None, missing: str) -> None:
    """After a crash nobody could prove whose it is."""
    message = broken(RULE, plan(vm_step(tags=tags)), facts())

    assert message is not None
    assert f"lacks the tag '{missing}'" in message


def test_a_record_names_its_order() -> None:
    """The sweep for orphans goes by it."""
    message = broken(RULE, plan(record_step(comment="")), facts())

    assert message == f"DnsRecord 'workload-dns-a' lacks the comment '{ORDERS}'"
