"""The rule anti-spoofing."""

from typing import Any

import pytest

from components.plans import StepOp
from components.policy.rules.anti_spoofing import RULE
from tests.factories.plans import broken, facts, options_step, plan, vm_step, whole_plan


def test_our_own_workloads_pass() -> None:
    """A whole plan as the component makes it."""
    assert broken(RULE, whole_plan(), facts()) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", False),
        ("macfilter", False),
        ("ipfilter", None),
        ("inputPolicy", "ACCEPT"),
        ("dhcp", True),
        ("radv", True),
        ("radv", None),
    ],
)
@pytest.mark.parametrize("op", [StepOp.CREATE, StepOp.UPDATE, StepOp.SAME])
def test_each_switch_counts(op: StepOp, name: str, value: Any) -> None:
    """One wrong switch is refused by name, a present one as well as a new one."""
    message = broken(RULE, plan(options_step(op, **{name: value})), facts())

    assert message is not None
    assert f"'{name}'" in message


def test_an_interface_outside_the_firewall_is_refused() -> None:
    """The filters do nothing for an interface that is not behind them."""
    message = broken(RULE, plan(vm_step(networkDevices=[{"macAddress": "02:53:00:00:00:C9"}])), facts())

    assert message == "interface 0 of VmLegacy 'workload' is not behind the firewall"


def test_what_is_deleted_is_not_asked() -> None:
    """A firewall goes with its guest."""
    assert broken(RULE, plan(options_step(StepOp.DELETE, enabled=False)), facts()) is None
