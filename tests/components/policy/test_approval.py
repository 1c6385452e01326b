"""Who has to agree."""

import dataclasses
from datetime import timedelta

import pytest

from components.plans import ChangeKind, PlanDocument, PropertyChange, StepOp
from components.policy.approval import ApprovalFacts, approvals_for
from components.policy.settings import PolicySettings
from tests.factories.plans import plan, record_step, step, vm_step, whole_plan

DEFAULT = PolicySettings()
OLD = timedelta(days=400)
ORDER = ApprovalFacts(
    has_consent=False, holds_data=False, price_before_cents=0, price_after_cents=1_900, account_age=timedelta(0)
)
LIVE = dataclasses.replace(ORDER, holds_data=True, price_before_cents=1_900, account_age=OLD)
INSTALLATION = "pulumi-python:dynamic/slipway:Installation"


def people(document: PlanDocument, facts: ApprovalFacts, **changes: object) -> int:
    """Return how many must agree with the default settings."""
    return approvals_for(document, dataclasses.replace(facts, **changes), DEFAULT).people  # type: ignore[arg-type]  # fields


def test_an_ordinary_order_and_the_owners_cancel_need_nobody() -> None:
    """The largest size of the catalogue, ordered by an account made this minute, and cancelled again."""
    assert approvals_for(whole_plan(), ORDER, DEFAULT).people == 0
    assert people(whole_plan(StepOp.DELETE), LIVE, has_consent=True, price_after_cents=0) == 0


@pytest.mark.parametrize("op", [StepOp.REPLACE, StepOp.DELETE])
def test_losing_data_without_consent_needs_somebody(op: StepOp) -> None:
    """Unless nothing was ever stored."""
    need = approvals_for(plan(vm_step(op)), LIVE, DEFAULT)

    assert need.people == 1
    assert need.reasons == ("it would destroy what the customer has stored, and the customer has not agreed",)
    assert people(plan(vm_step(op)), LIVE, holds_data=False) == 0
    assert people(plan(record_step(op)), LIVE) == 0


def test_building_a_guest_anew_that_was_delivered_before_needs_somebody() -> None:
    """Whoever deleted it, what it held is lost for good once an empty one stands in its place; consent or not."""
    need = approvals_for(plan(vm_step(StepOp.CREATE)), LIVE, DEFAULT)

    assert need.people == 1
    assert "built anew" in need.reasons[0]
    assert people(plan(vm_step(StepOp.CREATE)), LIVE, holds_data=False) == 0
    assert people(plan(record_step(StepOp.CREATE)), LIVE) == 0


@pytest.mark.parametrize(
    ("price", "wanted"),
    [(20_000, 0), (20_001, 1), (100_000, 1), (100_001, 2)],
    ids=["at", "above", "at two", "above two"],
)
def test_a_high_price_needs_one_or_two(price: int, wanted: int) -> None:
    """Above the limits, not at them."""
    assert people(whole_plan(), ORDER, account_age=OLD, price_after_cents=price) == wanted


def test_only_a_rise_in_price_is_asked_about() -> None:
    """A reboot of something dear, or a step down, needs nobody."""
    change = plan(vm_step(StepOp.UPDATE))

    assert people(change, LIVE, price_before_cents=200_000, price_after_cents=200_000) == 0
    assert people(change, LIVE, price_before_cents=300_000, price_after_cents=200_000) == 0


@pytest.mark.parametrize(("hours", "price", "wanted"), [(71, 5_000, 0), (71, 5_001, 1), (72, 5_001, 0)])
def test_a_new_account_is_looked_at_sooner(hours: int, price: int, wanted: int) -> None:
    """For its first days."""
    assert people(whole_plan(), ORDER, account_age=timedelta(hours=hours), price_after_cents=price) == wanted


@pytest.mark.parametrize("op", [StepOp.UPDATE, StepOp.REPLACE, StepOp.DELETE])
def test_bare_metal_is_looked_at_unless_its_owner_gives_it_up(op: StepOp) -> None:
    """Whoever has it may have it installed anew, too."""
    document = plan(step(INSTALLATION, {}, op))

    assert people(document, LIVE) == 1
    assert people(document, LIVE, has_consent=True) == 0


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_a_first_installation_needs_as_many_as_an_administrator_says(wanted: int) -> None:
    """Nobody, unless that was decided: a paid order is delivered."""
    settings = PolicySettings(machine_approvals=wanted)

    assert approvals_for(plan(step(INSTALLATION, {}, StepOp.CREATE)), ORDER, settings).people == wanted


def test_power_and_rescue_of_bare_metal_need_nobody() -> None:
    """Only what is written to its disks is looked at."""
    switched = PropertyChange(path="started", kind=ChangeKind.CHANGED, before=True, after=False)

    assert people(plan(step(INSTALLATION, {}, StepOp.UPDATE).model_copy(update={"changes": (switched,)})), LIVE) == 0


def test_the_platform_is_looked_at() -> None:
    """Every change of it; but nothing to change needs nobody."""
    assert people(plan(record_step(StepOp.UPDATE)), LIVE, is_platform=True) == 1
    assert people(plan(record_step(StepOp.SAME)), LIVE, is_platform=True) == 0


def test_reasons_add_up_and_people_do_not() -> None:
    """Two people can agree to all of it at once."""
    need = approvals_for(
        plan(vm_step(StepOp.REPLACE)),
        dataclasses.replace(LIVE, price_after_cents=150_000, account_age=timedelta(hours=1)),
        DEFAULT,
    )

    assert need.people == 2
    assert len(need.reasons) == 3
