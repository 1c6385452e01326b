"""The running system's judge, on a real order."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from api.operations.models import Operation, OperationKind
from api.orders.models import Order
from api.plans.judge import ServiceJudge
from api.plans.judgement import Judgement
from api.policy.models import PolicyVersion
from api.workloads.models import Workload
from components.plans import PlanDocument, StepOp
from components.policy.settings import PolicySettings
from components.specs import parse_guest_spec
from tests.factories.plans import options_step, plan, vm_step, whole_plan
from tests.fixtures.shop import Shop


def judge(shop: Shop, order_id: UUID, document: PlanDocument, **wish: object) -> Judgement:
    """Judge a plan of the order's operation; ``wish`` changes the operation first."""
    workload_id, operation_id = shop.workload(order_id).id, shop.operations(order_id)[0].id
    shop.change(lambda session: session.execute(update(Operation).where(Operation.id == operation_id).values(**wish)))
    with shop.database.transaction() as transaction:
        session = transaction.session
        order, workload = session.get_one(Order, order_id), session.get_one(Workload, workload_id)
        return ServiceJudge().judge(session, order, workload, session.get_one(Operation, operation_id), document)


def of(shop: Shop, order_id: UUID, op: StepOp) -> PlanDocument:
    """Return a plan of the order's whole workload."""
    return whole_plan(op, parse_guest_spec(shop.workload(order_id).desired))


def delivered(shop: Shop, order_id: UUID) -> None:
    """Have the workload delivered, as far as the rules know."""
    row = update(Workload).where(Workload.order_id == order_id).values(applied_generation=1)
    shop.change(lambda session: session.execute(row))


def test_an_ordinary_order_passes_without_anybody(shop: Shop) -> None:
    """A new customer's order is delivered by the machine alone."""
    order_id = shop.place_paid()

    judgement = judge(shop, order_id, of(shop, order_id, StepOp.CREATE), kind=OperationKind.APPLY)

    assert (judgement.refusal, judgement.people, judgement.lifetime) == (None, 0, timedelta(hours=24))
    assert {result["passed"] for result in judgement.policy} == {True}


def test_the_owners_cancel_passes_without_anybody(shop: Shop) -> None:
    """It is the owner's to lose."""
    order_id = shop.place_paid()
    delivered(shop, order_id)

    judgement = judge(shop, order_id, of(shop, order_id, StepOp.DELETE), kind=OperationKind.DESTROY, has_consent=True)

    assert (judgement.refusal, judgement.people) == (None, 0)


@pytest.mark.parametrize("op", [StepOp.DELETE, StepOp.REPLACE])
def test_data_is_not_lost_without_the_owner(shop: Shop, op: StepOp) -> None:
    """There are no backups yet, so nobody's approval can help either."""
    order_id = shop.place_paid()
    delivered(shop, order_id)

    judgement = judge(shop, order_id, of(shop, order_id, op), kind=OperationKind.APPLY)

    assert judgement.refusal is not None
    assert judgement.refusal.startswith("data-loss: ")
    assert judgement.people == 1


def test_a_plan_for_somebody_elses_guest_is_refused(shop: Shop) -> None:
    """Every rule is asked, and the first that is broken gives the reason."""
    judgement = judge(shop, shop.place_paid(), plan(vm_step(), options_step()), kind=OperationKind.APPLY)

    assert judgement.refusal is not None
    assert judgement.refusal.startswith("identity: ")
    assert len(judgement.policy) > 5


def test_an_administrators_settings_count_at_once(shop: Shop) -> None:
    """The next plan is judged by them."""
    order_id = shop.place_paid()
    strict = PolicySettings(new_account_approval_price_cents=449, approval_lifetime_hours=2)
    row = PolicyVersion(version=1, document=strict.model_dump(), set_by=shop.customer(), reason="fraud")
    shop.change(lambda session: session.add(row))

    judgement = judge(shop, order_id, of(shop, order_id, StepOp.CREATE), kind=OperationKind.APPLY)

    assert (judgement.people, judgement.lifetime) == (1, timedelta(hours=2))
    assert judgement.reasons == ("the account is new, and 450 cents a month is more than 449",)
