"""One active operation a workload, always for the newest generation."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from api.errors import Conflict
from api.operations.models import Operation, OperationKind, OperationStatus
from api.operations.results import EngineTrace
from api.operations.scheduling import next_kind, schedule
from api.workloads.models import Workload, WorkloadStatus
from api.workloads.service import lock_workload
from tests.fixtures.operations import Desk, at_once
from tests.fixtures.shop import LIFETIME_SECONDS

ENGINE: Mapping[str, object] = MappingProxyType({"pid": 7})


@pytest.mark.parametrize(
    ("workload", "ended", "expected"),
    [
        (Workload(generation=1, desired_absent=False), 1, None),
        (Workload(generation=2, desired_absent=False), 1, OperationKind.APPLY),
        (Workload(generation=2, desired_absent=True), 1, OperationKind.DESTROY),
        (Workload(generation=2, desired_absent=True), 2, None),
    ],
)
def test_what_is_still_to_be_done(workload: Workload, ended: int, expected: OperationKind | None) -> None:
    """A newer generation than the one that was worked for asks for one more operation."""
    assert next_kind(workload, ended) is expected


def test_sixteen_schedulers_at_once_make_one_operation(desk: Desk) -> None:
    """API, billing and staff may all want something of a workload in the same moment."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    workload_id = desk.shop.workload(order_id).id

    def scheduled(_index: int) -> object:
        return desk.shop.change(
            lambda session: (
                schedule(session, lock_workload(session, workload_id), OperationKind.APPLY, LIFETIME_SECONDS).id
            )
        )

    assert len(set(at_once(16, scheduled))) == 1
    assert desk.kinds(order_id) == [("apply", "succeeded"), ("apply", "queued")]


def test_the_database_itself_refuses_a_second_active_operation(desk: Desk) -> None:
    """The partial unique index holds whatever a service forgets."""
    order_id = desk.shop.place_paid()
    first = desk.latest(order_id)
    twin = Operation(
        id=uuid7(),
        workload_id=first.workload_id,
        kind=OperationKind.APPLY,
        generation=1,
        desired={},
        deadline_at=first.deadline_at,
    )
    with pytest.raises(IntegrityError, match="uq_operations_active"):
        desk.shop.change(lambda session: session.add(twin))


def test_a_queued_operation_is_brought_up_to_date_in_place(desk: Desk) -> None:
    """Stop, and start again before anybody got to it: one operation, for the last word."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    stop = desk.power(order_id, started=False)
    assert stop is not None
    # The workload still runs by its status, so the customer may change their mind.
    start = desk.power(order_id, started=True)
    assert start is not None
    assert start.id == stop.id
    latest = desk.latest(order_id)
    assert (latest.generation, latest.desired["started"], latest.status) == (3, True, OperationStatus.QUEUED)


def test_a_queued_operation_that_changes_has_all_its_attempts_again(desk: Desk) -> None:
    """A destroy must not be given up early because the create before it had failed so often."""
    order_id = desk.shop.place_paid()
    for _ in range(2):
        desk.make_due(desk.latest(order_id).id)
        desk.fail(desk.begun(order_id))
    desk.cancel(order_id)
    latest = desk.latest(order_id)
    assert (latest.kind, latest.attempts) == (OperationKind.DESTROY, 0)
    assert desk.due() == [latest.id]


def test_a_running_operation_is_left_alone(desk: Desk) -> None:
    """What is wanted now is done by the operation that follows it."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    lease = desk.begun(order_id)
    again = desk.power(order_id, started=True)
    assert again is not None
    assert (again.id, again.generation, again.desired["started"]) == (lease.operation_id, 2, False)
    following = desk.end(lease, is_running=False)
    assert following == desk.latest(order_id).id
    assert (desk.latest(order_id).generation, desk.latest(order_id).desired["started"]) == (3, True)


def test_a_new_operation_inherits_an_engine_that_nobody_has_tidied_up_after(desk: Desk) -> None:
    """The stack may still be locked, or worked on: the next operation must know."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    lease = desk.begun(order_id)
    desk.with_leases(lambda leases: leases.record_engine(lease.operation_id, lease.fence, ENGINE))
    desk.fail(lease, retryable=False, engine=EngineTrace.UNKNOWN)
    assert desk.shop.workload(order_id).status is WorkloadStatus.NEEDS_ATTENTION
    desk.cancel(order_id)
    assert desk.latest(order_id).id != lease.operation_id
    assert desk.latest(order_id).engine == ENGINE


def test_a_stopped_workload_is_started_and_a_running_one_stopped(desk: Desk) -> None:
    """Both go through ``updating``, and end where the node says."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    desk.end(desk.begun(order_id), is_running=False)
    assert desk.shop.workload(order_id).status is WorkloadStatus.STOPPED
    desk.power(order_id, started=True)
    desk.end(desk.begun(order_id), is_running=True)
    assert desk.shop.history(order_id)[-5:] == ["running", "updating", "stopped", "updating", "running"]


def test_asking_for_what_is_so_already_makes_no_operation(desk: Desk) -> None:
    """Starting a running workload is no error and no work."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    assert desk.power(order_id, started=True) is None
    assert desk.kinds(order_id) == [("apply", "succeeded")]


def test_only_a_running_workload_without_other_work_can_be_rebooted(desk: Desk) -> None:
    """The refusal says why."""
    order_id = desk.shop.place_paid()
    with pytest.raises(Conflict, match="'queued' cannot be rebooted"):
        desk.reboot(order_id)
    desk.deliver(order_id)
    desk.power(order_id, started=False)
    with pytest.raises(Conflict, match="another operation on this workload is under way"):
        desk.reboot(order_id)


def test_a_workload_that_is_not_delivered_cannot_be_stopped(desk: Desk) -> None:
    """The refusal says why."""
    order_id = desk.shop.place_paid()
    with pytest.raises(Conflict, match="'queued' cannot be started or stopped"):
        desk.power(order_id, started=False)
