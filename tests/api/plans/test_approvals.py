"""People decide on plans: exactly what they saw, in time, once each, and never on their own wishes."""

import pytest

from api.errors import NotFound, SlipwayError
from api.jobs import Job
from api.operations.models import OperationStatus
from api.orders.models import OrderStatus
from api.plans.errors import AlreadyDecided, NoApprovalNeeded, OwnPlan, PlanExpired, PlanMoved, PlanTampered
from api.plans.models import Plan, PlanStatus
from api.plans.versions import announce
from api.workloads.models import WorkloadStatus
from tests.fixtures.operations import at_once
from tests.fixtures.plans import PlanDesk


@pytest.fixture
def desk(plan_desk: PlanDesk) -> PlanDesk:
    """Return a desk for decisions in a stocked shop."""
    return plan_desk


def _refused(error: type[SlipwayError], desk: PlanDesk, plan: Plan) -> SlipwayError:
    with pytest.raises(error) as caught:
        desk.approve(plan)
    return caught.value


class TestApprove:
    def test_an_approved_plan_is_applied(self, desk: PlanDesk) -> None:
        """Nothing is done while it waits; then exactly that plan is done, and remembers who let it."""
        order_id, plan = desk.waiting()
        assert desk.rig.engine.runs == []
        assert desk.rig.desk.latest(order_id).status is OperationStatus.AWAITING_APPROVAL
        person = desk.person()
        assert desk.approve(plan, person) is True
        assert plan.operation_id in [arguments[0] for arguments in desk.rig.desk.shop.jobs.of(Job.RUN_OPERATION)]
        desk.rig.run(order_id)
        applied = desk.plan(order_id)
        assert (applied.id, applied.status) == (plan.id, PlanStatus.APPLIED)
        assert [approval.user_id for approval in applied.approvals] == [person.user_id]
        assert desk.rig.desk.shop.order(order_id).status is OrderStatus.DELIVERED

    def test_two_different_people_where_two_are_asked_for(self, desk: PlanDesk) -> None:
        """The first one's word is kept, and is not enough."""
        order_id, plan = desk.waiting(people=2)
        first = desk.person()
        assert desk.approve(plan, first) is False
        with pytest.raises(AlreadyDecided):
            desk.approve(plan, first)
        assert desk.rig.desk.latest(order_id).status is OperationStatus.AWAITING_APPROVAL
        assert desk.approve(plan) is True
        assert desk.rig.desk.latest(order_id).status is OperationStatus.QUEUED

    def test_two_people_at_once_count_as_two(self, desk: PlanDesk) -> None:
        """Whoever comes second sees the first one's word."""
        order_id, plan = desk.waiting(people=2)
        people = [desk.person(), desk.person()]
        finals = at_once(2, lambda index: desk.approve(plan, people[index]))
        assert sorted(finals) == [False, True]
        assert desk.plan(order_id).status is PlanStatus.APPROVED

    def test_who_asked_for_it_cannot_approve_it(self, desk: PlanDesk) -> None:
        """Four eyes are not two."""
        order_id, plan = desk.waiting()
        asker = desk.person(user_id=desk.rig.desk.shop.order(order_id).owner_id)
        with pytest.raises(OwnPlan):
            desk.approve(plan, asker)
        assert desk.plan(order_id).approvals == []

    def test_a_plan_that_needs_nobody_is_not_approved(self, desk: PlanDesk) -> None:
        """It has been applied already."""
        order_id = desk.rig.delivered()
        _refused(NoApprovalNeeded, desk, desk.plan(order_id))

    def test_an_unknown_plan(self, desk: PlanDesk) -> None:
        """There is nothing to decide on."""
        person = desk.person()
        with pytest.raises(NotFound):
            desk.approvals.approve(person.user_id, person, "0" * 64, "")


class TestMoved:
    def test_another_plan_than_the_one_that_was_seen(self, desk: PlanDesk) -> None:
        """The hash says what was looked at; nothing is lost by the refusal."""
        order_id, plan = desk.waiting()
        _, other = desk.waiting()
        with pytest.raises(PlanMoved):
            desk.approvals.approve(plan.id, desk.person(), other.hash, "")
        assert desk.plan(order_id).status is PlanStatus.CURRENT

    def test_a_state_edited_by_hand_before_the_approval(self, desk: PlanDesk) -> None:
        """The approval is refused, a fresh preview is made, and that one can be approved."""
        order_id, plan = desk.waiting()
        stack = desk.rig.desk.shop.workload(order_id).stack
        desk.rig.states.deployments[stack] = {"resources": [{"urn": "urn:x", "type": "x", "inputs": {"by": "hand"}}]}
        assert "state has changed" in _refused(PlanMoved, desk, plan).detail
        assert desk.rig.desk.latest(order_id).status is OperationStatus.QUEUED
        desk.rig.run(order_id)
        fresh = desk.plan(order_id)
        assert (fresh.status, desk.plans(order_id)[0].status) == (PlanStatus.CURRENT, PlanStatus.SUPERSEDED)
        assert desk.approve(fresh) is True
        _refused(PlanMoved, desk, plan)

    def test_a_state_edited_by_hand_after_the_approval(self, desk: PlanDesk) -> None:
        """What was approved is no longer what would be done: it waits again, and no engine was started."""
        order_id, plan = desk.waiting()
        desk.approve(plan)
        stack = desk.rig.desk.shop.workload(order_id).stack
        desk.rig.states.deployments[stack] = {"resources": [{"urn": "urn:x", "type": "x", "inputs": {"by": "hand"}}]}
        desk.rig.run(order_id)
        assert desk.rig.engine.runs == []
        assert [plan.status for plan in desk.plans(order_id)] == [PlanStatus.SUPERSEDED, PlanStatus.CURRENT]
        assert desk.rig.desk.latest(order_id).status is OperationStatus.AWAITING_APPROVAL

    def test_a_newer_program_before_the_approval(self, desk: PlanDesk) -> None:
        """The worker that would apply it is not the one that previewed it."""
        order_id, plan = desk.waiting()
        desk.rig.desk.shop.change(lambda session: announce(session, {"program": "2"}))
        assert "updated" in _refused(PlanMoved, desk, plan).detail
        assert desk.rig.desk.latest(order_id).status is OperationStatus.QUEUED

    def test_a_newer_program_after_the_approval(self, desk: PlanDesk) -> None:
        """The same, found by the worker."""
        order_id, plan = desk.waiting()
        desk.approve(plan)
        desk.rig.versions["program"] = "2"
        desk.rig.run(order_id)
        assert desk.rig.engine.runs == []
        assert desk.plan(order_id).status is PlanStatus.CURRENT

    def test_another_price(self, desk: PlanDesk) -> None:
        """Nobody pays, or earns, other than what was agreed to."""
        order_id, plan = desk.waiting()
        desk.tamper("UPDATE orders SET price_cents = price_cents + 1 WHERE id = :id", id=order_id)
        assert "price" in _refused(PlanMoved, desk, plan).detail

    def test_something_else_is_wanted_by_now(self, desk: PlanDesk) -> None:
        """The customer cancels while the plan waits: the plan is void, the order is paid back."""
        order_id, plan = desk.waiting()
        desk.rig.desk.cancel(order_id)
        _refused(PlanMoved, desk, plan)
        assert desk.rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert desk.rig.desk.kinds(order_id) == [("destroy", "queued")]


class TestTampered:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE plan_steps SET inputs = '{\"cpu\": 64}' WHERE plan_id = :id",
            "UPDATE plan_steps SET op = 'same' WHERE plan_id = :id",
            "DELETE FROM plan_steps WHERE plan_id = :id",
            "UPDATE plans SET price_after_cents = 1 WHERE id = :id",
            "UPDATE plans SET versions = '{}' WHERE id = :id",
        ],
    )
    def test_an_edited_plan_is_refused_and_made_anew(self, desk: PlanDesk, statement: str) -> None:
        """Its rows no longer fit its hash."""
        order_id, plan = desk.waiting()
        desk.tamper(statement, id=plan.id)
        _refused(PlanTampered, desk, plan)
        assert desk.rig.desk.latest(order_id).status is OperationStatus.QUEUED
        desk.rig.run(order_id)
        assert desk.plan(order_id).id != plan.id
        assert desk.rig.engine.runs == []

    def test_a_plan_that_was_declared_approved_in_the_database(self, desk: PlanDesk) -> None:
        """Status and counts prove nothing: words of people do, and they are counted when it is applied."""
        order_id, plan = desk.waiting()
        desk.tamper("UPDATE plans SET status = 'approved', approvals_needed = 0 WHERE id = :id", id=plan.id)
        desk.tamper("UPDATE operations SET status = 'queued' WHERE id = :id", id=plan.operation_id)
        desk.rig.run(order_id)
        assert desk.rig.engine.runs == []
        assert desk.rig.desk.latest(order_id).status is OperationStatus.AWAITING_APPROVAL

    def test_a_hash_edited_along_with_the_steps_voids_the_words_given_before(self, desk: PlanDesk) -> None:
        """An approval is for one hash."""
        order_id, plan = desk.waiting()
        desk.approve(plan)
        desk.tamper("UPDATE approvals SET plan_hash = repeat('0', 64)")
        desk.rig.run(order_id)
        assert desk.rig.engine.runs == []
        assert desk.plan(order_id).status is PlanStatus.CURRENT


class TestReject:
    def test_a_rejected_order_is_paid_back(self, desk: PlanDesk) -> None:
        """Paid means delivered or refunded, and nothing of it was made."""
        order_id, plan = desk.waiting()
        desk.approvals.reject(plan.id, desk.person(), "looks like abuse")
        assert desk.plan(order_id).status is PlanStatus.REJECTED
        assert desk.rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        assert "looks like abuse" in (desk.rig.desk.shop.order(order_id).closed_reason or "")
        assert desk.rig.desk.kinds(order_id) == [("apply", "cancelled"), ("destroy", "queued")]
        with pytest.raises(AlreadyDecided):
            desk.approvals.reject(plan.id, desk.person(), "me too")
        _refused(AlreadyDecided, desk, plan)

    def test_who_approved_may_think_better_of_it(self, desk: PlanDesk) -> None:
        """While others still have to agree, the first one's rejection counts and ends it."""
        order_id, plan = desk.waiting(people=2)
        first = desk.person()
        assert desk.approve(plan, first) is False
        desk.approvals.reject(plan.id, first, "I saw the node now")
        assert desk.plan(order_id).status is PlanStatus.REJECTED
        _refused(AlreadyDecided, desk, plan)

    def test_a_rejected_change_is_withdrawn(self, desk: PlanDesk) -> None:
        """The workload is what it was, and wants nothing else."""
        order_id = desk.rig.delivered()
        desk.ask_for(1)
        desk.rig.desk.power(order_id, started=False)
        desk.rig.run(order_id)
        desk.approvals.reject(desk.plan(order_id).id, desk.person(), "not now")
        workload = desk.rig.desk.shop.workload(order_id)
        assert workload.desired["started"] is True
        assert workload.status is WorkloadStatus.RUNNING
        assert workload.generation == workload.applied_generation
        assert desk.rig.desk.kinds(order_id)[-1] == ("apply", "cancelled")


class TestExpiry:
    def test_an_approval_that_comes_too_late(self, desk: PlanDesk) -> None:
        """The change is withdrawn there and then."""
        order_id, plan = desk.waiting()
        desk.make_late(plan)
        _refused(PlanExpired, desk, plan)
        assert desk.plan(order_id).status is PlanStatus.EXPIRED
        assert desk.rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        _refused(PlanExpired, desk, plan)

    def test_a_plan_in_time_does_not_expire(self, desk: PlanDesk) -> None:
        """A sweep that comes too early does no harm."""
        order_id, plan = desk.waiting()
        desk.approvals.expire(plan.id)
        assert desk.plan(order_id).status is PlanStatus.CURRENT

    def test_approval_and_rejection_at_once_end_as_a_rejection(self, desk: PlanDesk) -> None:
        """A no counts until a worker has begun; a yes that comes after it is told so."""
        order_id, plan = desk.waiting()
        people = [desk.person(), desk.person()]

        def decide(index: int) -> str:
            try:
                if index:
                    desk.approve(plan, people[1])
                else:
                    desk.approvals.reject(plan.id, people[0], "no thanks")
            except AlreadyDecided:
                return "late"
            return "in time"

        assert at_once(2, decide)[0] == "in time"
        assert desk.plan(order_id).status is PlanStatus.REJECTED
        assert desk.rig.desk.shop.order(order_id).status is OrderStatus.REFUND_DUE

    def test_a_plan_that_a_worker_has_begun_with_is_not_rejected(self, desk: PlanDesk) -> None:
        """It can be cancelled, which is another thing: something may have been done."""
        order_id, plan = desk.waiting()
        desk.approve(plan)
        desk.rig.desk.lease(order_id)
        with pytest.raises(AlreadyDecided, match="cancel its operation"):
            desk.approvals.reject(plan.id, desk.person(), "no")
