"""Operations end early when somebody asks, and always when their time is over."""

from uuid import UUID

import pytest

from api.errors import Conflict, NotFound
from api.operations.cause import Cause
from api.operations.models import Operation, OperationStatus
from api.operations.stopping import OperationStopper
from api.orders.models import OrderStatus
from api.plans.models import PlanStatus
from api.workloads.models import WorkloadStatus
from automation.engine.contract import EngineOutcome
from tests.fixtures.operations import Desk
from tests.fixtures.plans import PlanDesk
from tests.fixtures.runner import RunnerRig
from tests.fixtures.shop import LIFETIME_SECONDS

_CAUSE = Cause("the customer changed their mind")


def _cancel(desk: Desk, order_id: UUID) -> Operation | None:
    operation_id = desk.latest(order_id).id
    return desk.shop.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).cancel(operation_id, _CAUSE))


class TestCancelWaiting:
    def test_a_change_that_has_not_begun_is_withdrawn(self, runner_rig: RunnerRig) -> None:
        """The workload goes on as it was."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.power(order_id, started=False)
        assert _cancel(desk, order_id) is None
        workload = desk.shop.workload(order_id)
        assert (workload.status, workload.desired["started"]) == (WorkloadStatus.RUNNING, True)
        assert desk.kinds(order_id)[-1] == ("apply", "cancelled")

    def test_a_removal_that_has_not_begun_is_withdrawn(self, runner_rig: RunnerRig) -> None:
        """The undo of a cancellation that was a mistake."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.cancel(order_id)
        assert _cancel(desk, order_id) is None
        workload = desk.shop.workload(order_id)
        assert (workload.status, workload.desired_absent) == (WorkloadStatus.RUNNING, False)
        desk.power(order_id, started=False)
        runner_rig.run(order_id)
        assert desk.shop.workload(order_id).status is WorkloadStatus.STOPPED

    def test_a_removal_is_not_withdrawn_once_the_money_went_back(self, runner_rig: RunnerRig) -> None:
        """Nobody gets a server for nothing because an operator cancelled its removal: a person has to look."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.shop.fulfil(order_id, lambda fulfilment, order: fulfilment.refunded(order, "pi_1", order.price_cents))
        assert _cancel(desk, order_id) is None
        workload = desk.shop.workload(order_id)
        assert (workload.status, workload.desired_absent) == (WorkloadStatus.NEEDS_ATTENTION, True)
        assert desk.shop.order(order_id).status is OrderStatus.REFUNDED

    def test_a_change_whose_first_attempt_was_cut_off_is_not_withdrawn(self, runner_rig: RunnerRig) -> None:
        """Its engine may have changed the guest before it died: the row must not say that all is as before."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.power(order_id, started=False)
        runner_rig.engine.fail_next("engine_killed", retryable=True)
        runner_rig.run(order_id)
        assert desk.latest(order_id).status is OperationStatus.QUEUED
        assert _cancel(desk, order_id) is None
        assert desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION

    def test_a_delivery_that_has_not_begun_is_paid_back(self, runner_rig: RunnerRig) -> None:
        """Paid means delivered or refunded."""
        desk, order_id = runner_rig.desk, runner_rig.desk.shop.place_paid()
        following = _cancel(desk, order_id)
        assert following is not None
        assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        runner_rig.run(order_id)
        assert desk.shop.workload(order_id).status is WorkloadStatus.DELETED

    def test_one_that_waits_for_an_approval(self, plan_desk: PlanDesk) -> None:
        """Its plan is void."""
        order_id, _ = plan_desk.waiting()
        _cancel(plan_desk.rig.desk, order_id)
        assert plan_desk.plan(order_id).status is PlanStatus.SUPERSEDED

    def test_what_has_ended_cannot_be_cancelled(self, runner_rig: RunnerRig) -> None:
        """There is nothing left of it."""
        order_id = runner_rig.delivered()
        with pytest.raises(Conflict, match="succeeded"):
            _cancel(runner_rig.desk, order_id)

    def test_an_unknown_operation(self, desk: Desk) -> None:
        """A clear answer."""
        unknown = desk.shop.customer()
        with pytest.raises(NotFound):
            desk.shop.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).cancel(unknown, _CAUSE))


class TestCancelRunning:
    def test_the_engine_is_interrupted_and_the_next_one_begins_with_a_recovery(self, runner_rig: RunnerRig) -> None:
        """A delivery that is cut short is paid back and taken away, whatever was made of it."""
        desk, order_id = runner_rig.desk, runner_rig.desk.shop.place_paid()
        with runner_rig.at_work(order_id) as (_gate, work):
            assert _cancel(desk, order_id) is None
            assert work.result(60)
        assert runner_rig.engine.runs[0].result is not None
        assert runner_rig.engine.runs[0].result.outcome is EngineOutcome.CANCELLED
        assert desk.kinds(order_id) == [("apply", "cancelled"), ("destroy", "queued")]
        assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
        runner_rig.run(order_id)
        assert runner_rig.engine.recovered == [desk.shop.workload(order_id).stack]
        assert desk.shop.workload(order_id).status is WorkloadStatus.DELETED

    def test_a_change_that_is_cut_short_needs_a_person(self, runner_rig: RunnerRig) -> None:
        """Nobody knows which half of it was done."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.power(order_id, started=False)
        with runner_rig.at_work(order_id) as (_gate, work):
            _cancel(desk, order_id)
            assert work.result(60)
        workload = desk.shop.workload(order_id)
        assert workload.status is WorkloadStatus.NEEDS_ATTENTION
        assert (workload.attention or "").startswith("cancelled:")
        assert desk.kinds(order_id)[-1] == ("apply", "cancelled")

    def test_a_reboot_that_has_begun_is_let_end(self, runner_rig: RunnerRig) -> None:
        """The node is at it; there is nothing to interrupt."""
        desk, order_id = runner_rig.desk, runner_rig.delivered()
        desk.reboot(order_id)
        desk.lease(order_id)
        with pytest.raises(Conflict, match="reboot"):
            _cancel(desk, order_id)


class TestDeadline:
    def test_what_waits_beyond_its_deadline_is_given_up(self, runner_rig: RunnerRig) -> None:
        """Nothing stays unfinished for ever."""
        desk, order_id = runner_rig.desk, runner_rig.desk.shop.place_paid()
        operation = desk.latest(order_id)
        desk.past_deadline(operation.id)
        assert desk.shop.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).overdue()) == [operation.id]
        desk.shop.change(lambda session: OperationStopper(session, LIFETIME_SECONDS).give_up(operation.id))
        assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
        assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE

    def test_one_that_still_has_time_is_left_alone(self, runner_rig: RunnerRig) -> None:
        """Whoever swept saw an older row."""
        desk, order_id = runner_rig.desk, runner_rig.desk.shop.place_paid()
        operation_id = desk.latest(order_id).id
        give_up = OperationStopper.give_up
        assert desk.shop.change(lambda session: give_up(OperationStopper(session, 60), operation_id)) is None
        assert desk.latest(order_id).status is OperationStatus.QUEUED

    def test_a_worker_that_takes_an_overdue_operation_over_ends_its_engine(self, runner_rig: RunnerRig) -> None:
        """The engine of the worker that died is killed, and the money goes back."""
        desk, order_id = runner_rig.desk, runner_rig.desk.shop.place_paid()
        run = runner_rig.orphan(order_id)
        operation = desk.latest(order_id)
        desk.past_deadline(operation.id)
        assert runner_rig.runner().run(operation.id)
        assert run.killed
        assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
        assert desk.shop.operations(order_id)[0].error_code == "deadline"
