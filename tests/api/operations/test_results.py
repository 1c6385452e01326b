"""What follows from the end of an attempt for workload, order, inventory and addresses."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from api.billing.models import EntryKind
from api.ipam.models import Address, AddressState
from api.operations.models import OperationStatus
from api.operations.results import EngineTrace
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from tests.fixtures.operations import POLICY, Desk
from tests.fixtures.shop import EVERYTHING, NOTHING


def test_a_successful_apply_delivers_the_order(desk: Desk) -> None:
    """Workload, order, inventory, history and the operation's account, all in one transaction."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    workload, operation, guest = desk.shop.workload(order_id), desk.latest(order_id), desk.guest(order_id)
    assert (workload.status, workload.applied_generation, workload.outputs) == (
        WorkloadStatus.RUNNING,
        1,
        {"fqdn": "x"},
    )
    assert desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert desk.shop.order(order_id).delivered_at is not None
    assert (operation.status, operation.lease_until, operation.engine) == (OperationStatus.SUCCEEDED, None, None)
    assert (operation.changes, operation.pulumi_processes, operation.cpu_seconds) == ({"create": 8}, 2, 1.5)
    assert (guest.vmid, guest.is_running, guest.absent_at) == (workload.vmid, True, None)
    assert desk.shop.history(order_id) == ["pending_payment", "queued", "provisioning", "running"]


def test_a_failure_that_time_may_heal_is_tried_again_later(desk: Desk) -> None:
    """The operation waits, is not due, and keeps its place in the workload's life."""
    order_id = desk.shop.place_paid()
    assert desk.fail(desk.begun(order_id)) is None
    operation = desk.latest(order_id)
    assert (operation.status, operation.attempts, operation.error_code) == (
        OperationStatus.QUEUED,
        1,
        "proxmox_locked",
    )
    assert desk.due() == []
    assert desk.lines(operation.id)[-1].message == "The node is busy. Trying again in 5 s."
    assert desk.shop.workload(order_id).status is WorkloadStatus.PROVISIONING
    desk.make_due(operation.id)
    desk.deliver(order_id)
    assert desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert desk.latest(order_id).error_code is None


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5), (2, 10), (3, 20), (8, 600), (40, 600)])
def test_the_wait_doubles_up_to_ten_minutes(attempt: int, seconds: int) -> None:
    """Whatever the number of attempts."""
    assert POLICY.delay(attempt) == timedelta(seconds=seconds)


def _exhaust(desk: Desk, order_id: UUID) -> UUID | None:
    """Let every attempt of the newest operation fail; returns what follows."""
    following = None
    operation_id = desk.latest(order_id).id
    for _ in range(POLICY.attempts):
        desk.make_due(operation_id)
        following = desk.fail(desk.begun(order_id))
    return following


def test_a_paid_order_that_cannot_be_delivered_is_refunded_and_taken_away(desk: Desk) -> None:
    """Paid means delivered, refunded, or visibly pending: the refund is due and a destroy follows at once."""
    order_id = desk.shop.place_paid()
    following = _exhaust(desk, order_id)
    assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]
    assert following == desk.latest(order_id).id
    assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert desk.shop.workload(order_id).status is WorkloadStatus.CANCELLING
    assert desk.shop.held(order_id) == EVERYTHING
    assert desk.shop.billing.pay_refunds() == 1
    desk.end(desk.begun(order_id))
    assert desk.shop.order(order_id).status is OrderStatus.REFUNDED
    assert sum(desk.shop.ledger(order_id).values()) == 0
    assert desk.shop.held(order_id) == NOTHING


def test_a_failure_that_no_time_heals_is_not_tried_again(desk: Desk) -> None:
    """A foreign guest at our number stays foreign."""
    order_id = desk.shop.place_paid()
    desk.fail(desk.begun(order_id), error_code="identity_conflict", retryable=False)
    assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]


def test_nothing_is_tried_past_the_operations_deadline(desk: Desk) -> None:
    """All work ends: attempts left over do not count."""
    order_id = desk.shop.place_paid()
    lease = desk.begun(order_id)
    desk.past_deadline(lease.operation_id)
    desk.fail(lease)
    assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]


def test_a_wait_spends_no_attempt(desk: Desk) -> None:
    """Waiting for another host's engine is no fault of ours; the deadline alone ends it."""
    order_id = desk.shop.place_paid()
    operation_id = desk.latest(order_id).id
    for _ in range(POLICY.attempts + 2):
        desk.make_due(operation_id)
        desk.fail(desk.begun(order_id), is_wait=True, engine=EngineTrace.UNKNOWN)
    assert (desk.latest(order_id).status, desk.latest(order_id).attempts) == (OperationStatus.QUEUED, 0)
    desk.make_due(operation_id)
    lease = desk.begun(order_id)
    desk.past_deadline(operation_id)
    desk.fail(lease, is_wait=True, engine=EngineTrace.UNKNOWN)
    assert desk.kinds(order_id) == [("apply", "failed"), ("destroy", "queued")]


@pytest.mark.parametrize(
    ("trace", "left"),
    [
        (EngineTrace.TIDY, None),
        (EngineTrace.UNTIDY, {"pid": 7, "ended": True}),
        (EngineTrace.UNKNOWN, {"pid": 7}),
    ],
)
def test_the_engine_on_record_is_forgotten_only_when_nothing_of_it_is_left(
    desk: Desk, trace: EngineTrace, left: dict[str, object] | None
) -> None:
    """Else the next attempt would start a second engine, or run into the first one's lock."""
    order_id = desk.shop.place_paid()
    lease = desk.begun(order_id)
    desk.with_leases(lambda leases: leases.record_engine(lease.operation_id, lease.fence, {"pid": 7}))
    desk.fail(lease, engine=trace)
    assert desk.latest(order_id).engine == left


def test_a_successful_destroy_gives_everything_back_but_the_vmid(desk: Desk) -> None:
    """Capacity and label at once, addresses after their quarantine, the number never."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    vmid, before = desk.shop.workload(order_id).vmid, set(desk.shop.room_used().values())
    desk.cancel(order_id)
    assert desk.shop.held(order_id) == EVERYTHING
    desk.end(desk.begun(order_id))
    workload = desk.shop.workload(order_id)
    assert (workload.status, workload.deleted_at is not None) == (WorkloadStatus.DELETED, True)
    assert desk.guest(order_id).absent_at is not None
    assert desk.shop.held(order_id) == NOTHING
    assert before != set(desk.shop.room_used().values()) == {(0, 0, 0)}
    resting = desk.shop.change(
        lambda session: list(session.scalars(select(Address).where(Address.state == AddressState.QUARANTINE)))
    )
    assert [address.family for address in sorted(resting, key=lambda address: address.family)] == [4, 6]
    assert all(address.free_after is not None for address in resting)
    assert desk.shop.workload(desk.shop.place()).vmid > vmid


def test_a_destroy_that_fails_for_good_holds_everything_and_asks_for_help(desk: Desk) -> None:
    """What may still be out there must not be given to anybody else."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.cancel(order_id)
    assert _exhaust(desk, order_id) is None
    workload = desk.shop.workload(order_id)
    assert (workload.status, workload.attention) == (
        WorkloadStatus.NEEDS_ATTENTION,
        "proxmox_locked: The node is busy.",
    )
    assert desk.shop.held(order_id) == EVERYTHING
    assert desk.due() == []


def test_a_workload_that_needs_attention_can_be_cancelled_again(desk: Desk) -> None:
    """Once the node is mended, the destroy is made anew."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.cancel(order_id)
    _exhaust(desk, order_id)
    desk.cancel(order_id)
    desk.end(desk.begun(order_id))
    assert desk.shop.workload(order_id).status is WorkloadStatus.DELETED
    assert desk.shop.held(order_id) == NOTHING


def test_an_update_that_fails_for_good_asks_for_help_and_refunds_nothing(desk: Desk) -> None:
    """The order was delivered; the guest is there."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    _exhaust(desk, order_id)
    assert desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
    assert desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert EntryKind.REFUND not in desk.shop.ledger(order_id)


def test_the_last_word_is_carried_out_even_if_the_one_before_failed(desk: Desk) -> None:
    """Stop, start again while the stop is at work, the stop fails for good: the start follows all the same."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    lease = desk.begun(order_id)
    desk.power(order_id, started=True)
    assert desk.fail(lease, retryable=False) == desk.latest(order_id).id
    desk.end(desk.begun(order_id), is_running=True)
    assert desk.shop.workload(order_id).status is WorkloadStatus.RUNNING


def test_a_reboot_that_has_to_be_retried_does_not_swallow_a_stop(desk: Desk) -> None:
    """The retry is for what is wanted by now, and needs no wait."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.reboot(order_id)
    lease = desk.begun(order_id)
    desk.power(order_id, started=False)
    assert desk.fail(lease) == lease.operation_id
    assert desk.due() == [lease.operation_id]
    desk.end(desk.begun(order_id), is_running=False)
    assert desk.shop.workload(order_id).status is WorkloadStatus.STOPPED


def test_a_reboot_that_fails_for_good_leaves_the_workload_as_it_is(desk: Desk) -> None:
    """Nothing was changed, so nobody has to look."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.reboot(order_id)
    _exhaust(desk, order_id)
    assert desk.shop.workload(order_id).status is WorkloadStatus.RUNNING
    assert desk.kinds(order_id)[-1] == ("reboot", "failed")


def test_cancelling_an_order_in_the_queue_refunds_it_and_needs_no_engine(desk: Desk) -> None:
    """Nothing was begun: the queued operation becomes a destroy that knows there is no stack."""
    order_id = desk.shop.place_paid()
    desk.cancel(order_id)
    assert desk.kinds(order_id) == [("destroy", "queued")]
    assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert desk.lease(order_id).has_stack is False


def test_cancelling_while_the_engine_works_lets_it_end_and_then_takes_all_away(desk: Desk) -> None:
    """The order is not delivered in between, and the money goes back."""
    order_id = desk.shop.place_paid()
    lease = desk.begun(order_id)
    assert desk.cancel(order_id) is not None
    assert desk.kinds(order_id) == [("apply", "running")]
    following = desk.end(lease, is_running=True)
    assert desk.kinds(order_id) == [("apply", "succeeded"), ("destroy", "queued")]
    assert following == desk.latest(order_id).id
    assert desk.shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert desk.shop.history(order_id)[-1] == "cancelling"


def test_cancelling_while_a_failing_engine_works_turns_its_retry_into_a_destroy(desk: Desk) -> None:
    """Nobody tries to make what nobody wants any more; and the destroy is due at once."""
    order_id = desk.shop.place_paid()
    lease = desk.begun(order_id)
    desk.cancel(order_id)
    assert desk.fail(lease) == lease.operation_id
    assert desk.kinds(order_id) == [("destroy", "queued")]
    assert desk.due() == [lease.operation_id]


def test_cancelling_twice_is_harmless(desk: Desk) -> None:
    """The second time the same operation is returned, and after its end none."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    first, second = desk.cancel(order_id), desk.cancel(order_id)
    assert first is not None
    assert second is not None
    assert first.id == second.id
    desk.end(desk.begun(order_id))
    assert desk.cancel(order_id) is None
    assert desk.shop.history(order_id).count("cancelling") == 1


def test_cancelling_what_was_delivered_refunds_nothing(desk: Desk) -> None:
    """The customer had what was paid for."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.cancel(order_id)
    desk.end(desk.begun(order_id))
    assert desk.shop.order(order_id).status is OrderStatus.DELIVERED
    assert desk.shop.billing.pay_refunds() == 0


def test_up_destroy_and_up_race_to_the_last_accepted_intent(desk: Desk) -> None:
    """A start that comes after a cancel is refused, and the destroy stands."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    desk.cancel(order_id)
    assert desk.kinds(order_id) == [("apply", "succeeded"), ("destroy", "queued")]
    desk.end(desk.begun(order_id))
    assert desk.shop.workload(order_id).status is WorkloadStatus.DELETED
