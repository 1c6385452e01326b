"""Who may work on an operation, and whose writes count."""

from uuid import UUID

import pytest

from api.errors import LeaseLost
from api.operations.leases import Leased
from api.operations.models import Operation, OperationStatus
from api.workloads.models import WorkloadStatus
from tests.factories.estate import estate, node
from tests.fixtures.operations import PER_NODE, Desk, at_once
from tests.fixtures.shop import Shop


def test_of_two_workers_that_ask_at_once_one_gets_the_lease(desk: Desk) -> None:
    """Two workers with the same hint: one works, the other goes home."""
    operation = desk.latest(desk.shop.place_paid())
    leases = at_once(2, lambda index: desk.acquire(operation.id, f"worker-{index}"))
    assert sorted(lease is None for lease in leases) == [False, True]
    assert [row.attempts for row in desk.shop.all(Operation)] == [1]


def test_a_held_lease_is_not_given_again(desk: Desk) -> None:
    """A redelivered message finds the operation active and changes nothing."""
    order_id = desk.shop.place_paid()
    desk.lease(order_id)
    assert desk.acquire(desk.latest(order_id).id, "worker-2") is None
    assert desk.latest(order_id).fence == 1


def test_a_lapsed_lease_is_taken_over_with_a_higher_fence(desk: Desk) -> None:
    """The next worker gets a higher fence, and learns of the engine that the first one may have left."""
    order_id = desk.shop.place_paid()
    first = desk.begun(order_id)
    desk.with_leases(lambda leases: leases.record_engine(first.operation_id, first.fence, {"pid": 7}))
    desk.lapse(first.operation_id)
    second = desk.lease(order_id, "worker-2")
    assert (first.fence, second.fence) == (1, 2)
    assert (first.has_stack, second.has_stack) == (False, True)
    assert second.previous_engine == {"pid": 7}


def _zombie(desk: Desk) -> tuple[UUID, Leased]:
    """Return a lease that another worker has taken over."""
    order_id = desk.shop.place_paid()
    zombie = desk.begun(order_id)
    desk.lapse(zombie.operation_id)
    desk.lease(order_id, "worker-2")
    return order_id, zombie


def test_a_zombie_cannot_renew_its_lease(desk: Desk) -> None:
    """The new holder's lease stays as it is."""
    order_id, zombie = _zombie(desk)
    before = desk.latest(order_id).lease_until
    with pytest.raises(LeaseLost):
        desk.with_leases(lambda leases: leases.renew(zombie.operation_id, zombie.fence))
    assert desk.latest(order_id).lease_until == before


def test_a_zombie_cannot_record_an_engine(desk: Desk) -> None:
    """So a child that waits for the word to go never gets it."""
    order_id, zombie = _zombie(desk)
    with pytest.raises(LeaseLost):
        desk.with_leases(lambda leases: leases.record_engine(zombie.operation_id, zombie.fence, {"pid": 8}))
    assert desk.latest(order_id).engine is None


def test_a_zombie_cannot_begin_or_write_to_the_log(desk: Desk) -> None:
    """Its lines would mix with those of the new holder."""
    order_id, zombie = _zombie(desk)
    before = len(desk.lines(zombie.operation_id))
    with pytest.raises(LeaseLost):
        desk.with_leases(lambda leases: leases.begin(zombie))
    with pytest.raises(LeaseLost):
        desk.log(zombie, "from beyond")
    assert len(desk.lines(desk.latest(order_id).id)) == before


def test_a_zombies_result_is_dropped_whole(desk: Desk) -> None:
    """Neither operation, workload, order nor inventory hear of it."""
    order_id, zombie = _zombie(desk)
    with pytest.raises(LeaseLost):
        desk.end(zombie, is_running=True)
    assert desk.latest(order_id).status is OperationStatus.RUNNING
    assert desk.shop.workload(order_id).status is WorkloadStatus.PROVISIONING
    assert desk.shop.order(order_id).status == "paid"
    assert desk.shop.history(order_id) == ["pending_payment", "queued", "provisioning"]


def test_a_worker_that_was_late_but_not_replaced_may_go_on(desk: Desk) -> None:
    """A lapsed lease that nobody took is renewed: the fence decides, not the clock."""
    lease = desk.begun(desk.shop.place_paid())
    desk.lapse(lease.operation_id)
    desk.with_leases(lambda leases: leases.renew(lease.operation_id, lease.fence))
    assert desk.due() == []


def test_a_node_takes_so_many_operations_at_once_and_no_more(desk: Desk) -> None:
    """Cloning takes a lock on the template's storage: the third order waits without spending an attempt."""
    orders = [desk.shop.place_paid() for _ in range(PER_NODE + 1)]
    held = [desk.acquire(desk.latest(order_id).id) for order_id in orders]
    assert [lease is not None for lease in held] == [True, True, False]
    waiting = desk.latest(orders[-1])
    assert (waiting.status, waiting.attempts, waiting.fence) == (OperationStatus.QUEUED, 0, 0)


def test_the_place_of_a_dead_worker_on_a_node_is_free_again(desk: Desk) -> None:
    """Only leases that hold count."""
    orders = [desk.shop.place_paid() for _ in range(PER_NODE + 1)]
    first = desk.lease(orders[0])
    desk.lease(orders[1])
    desk.lapse(first.operation_id)
    assert desk.acquire(desk.latest(orders[2]).id) is not None


def test_the_limit_of_a_node_holds_under_a_rush(desk: Desk) -> None:
    """Eight workers with eight operations on one node: exactly as many run as may."""
    operations = [desk.latest(desk.shop.place_paid()).id for _ in range(8)]
    leases = at_once(8, lambda index: desk.acquire(operations[index], f"worker-{index}"))
    assert sum(lease is not None for lease in leases) == PER_NODE


def test_a_full_node_does_not_hold_up_another(empty_shop: Shop) -> None:
    """Each node has its own limit."""
    desk = Desk(empty_shop)
    empty_shop.stock(estate([node("cloud-1", "cloud"), node("bot-1", "bot")]))
    for _ in range(PER_NODE):
        desk.lease(empty_shop.place_paid())
    assert desk.acquire(desk.latest(empty_shop.place_paid()).id) is None
    bot = empty_shop.place_paid(product="bot", size="nano", template="python-bot", ssh_keys=[])
    assert desk.acquire(desk.latest(bot).id) is not None


def test_the_sweep_finds_what_can_be_done_now(desk: Desk) -> None:
    """Queued and due, or running under a lapsed lease; neither what is held nor what has to wait."""
    queued, held, lapsed, waiting = (desk.shop.place_paid() for _ in range(4))
    desk.lease(held)
    desk.lapse(desk.lease(lapsed).operation_id)
    desk.fail(desk.begun(waiting))
    assert desk.due() == [desk.latest(queued).id, desk.latest(lapsed).id]


def test_a_queue_at_a_busy_node_does_not_hide_work_elsewhere(desk: Desk) -> None:
    """What must wait for its node is left out, so that a limited sweep gets to the others."""
    for _ in range(PER_NODE):
        desk.lease(desk.shop.place_paid())
    for _ in range(3):
        desk.shop.place_paid()
    bot = desk.shop.place_paid(product="bot", size="nano", template="python-bot", ssh_keys=[])
    assert desk.due(limit=1) == [desk.latest(bot).id]


def test_work_that_waits_for_one_node_can_be_asked_for(desk: Desk) -> None:
    """A worker that has made room on a node hints at what waits for that node."""
    vm = desk.shop.place_paid()
    bot = desk.shop.place_paid(product="bot", size="nano", template="python-bot", ssh_keys=[])
    assert desk.due(node_id=desk.shop.workload(bot).node_id) == [desk.latest(bot).id]
    assert desk.due(node_id=desk.shop.workload(vm).node_id) == [desk.latest(vm).id]


def test_an_ended_operation_cannot_be_leased(desk: Desk) -> None:
    """A hint that comes late finds nothing to do."""
    order_id = desk.shop.place_paid()
    desk.deliver(order_id)
    assert desk.acquire(desk.latest(order_id).id) is None
    assert desk.due() == []
