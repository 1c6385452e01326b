"""Faults in the whole system, with real engine, plugins and processes: paid means delivered or refunded."""

import os
import signal
from typing import Any

import pytest
from sqlalchemy import func, update

from api.billing.models import EntryKind, Refund
from api.operations.models import OperationStatus
from tests.fixtures.shop import EVERYTHING, NOTHING
from tests.fixtures.whole_system import WholeSystem, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults"), pytest.mark.timeout(900)]


@pytest.mark.parametrize("kind", ["cloud", "game"])
def test_a_celery_child_that_is_killed_in_mid_up_costs_nothing(whole_system: WholeSystem, kind: str) -> None:
    """Its engine works on; the next worker finds it, waits for it and uses what it made: one guest, delivered."""
    whole_system.lab.proxmox.set_task_delay(3)
    order_id = whole_system.buy(kind)
    operation = whole_system.at_work(order_id)
    assert operation.lease_owner is not None
    os.kill(int(operation.lease_owner.rpartition(":")[2]), signal.SIGKILL)
    whole_system.until_status(order_id, workload="running", order="delivered")
    assert len(whole_system.guests(order_id)) == 1
    assert len(whole_system.records(order_id)) == 2
    ended = whole_system.desk.latest(order_id)
    assert (ended.status, ended.fence, ended.engine) == (OperationStatus.SUCCEEDED, 2, None)
    assert whole_system.desk.kinds(order_id) == [("apply", "succeeded")]


@pytest.mark.parametrize("kind", ["cloud", "game"])
def test_a_power_cut_at_the_workers_host_leaves_one_guest(whole_system: WholeSystem, kind: str) -> None:
    """Worker, engine host, CLI and plugins die while the node makes the guest: it is found by its identity."""
    whole_system.lab.proxmox.set_task_delay(3)
    order_id = whole_system.buy(kind)
    whole_system.at_work(order_id)
    whole_system.kill_worker()
    whole_system.start_worker()
    whole_system.until_status(order_id, workload="running", order="delivered")
    assert len(whole_system.guests(order_id)) == 1
    assert len(whole_system.records(order_id)) == 2
    assert "recover" in [line.kind for line in whole_system.desk.lines(whole_system.desk.latest(order_id).id)]


def test_a_flushed_redis_loses_no_paid_order(whole_system: WholeSystem) -> None:
    """Every hint is gone with the broker's data; the sweep finds events and operations by their rows."""
    with whole_system.worker_frozen():
        orders = [whole_system.buy(kind) for kind in ("bot", "game", "cloud")]
        until(lambda: whole_system.waiting_events() >= len(orders), "the payments' events to be stored")
        assert whole_system.redis.llen("slipway")
        whole_system.redis.flushall()
    for order_id in orders:
        whole_system.until_status(order_id, workload="running", order="delivered")
        assert len(whole_system.guests(order_id)) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "error", "status": 500, "message": "internal error"}, {"kind": "lock"}], ids=["500", "lock"]
)
def test_a_node_in_passing_trouble_delivers_all_the_same(whole_system: WholeSystem, fault: dict[str, Any]) -> None:
    """The create is refused twice; the operation is tried again."""
    trouble = whole_system.lab.proxmox.add(where="game-1", method="POST", path="*/lxc", times=2, **fault)
    order_id = whole_system.buy("game")
    whole_system.until_status(order_id, workload="running", order="delivered")
    assert next(rule.hits for rule in whole_system.lab.proxmox.all() if rule.id == trouble.id) == 2
    assert len(whole_system.guests(order_id)) == 1


def test_an_answer_that_was_lost_makes_no_second_guest(whole_system: WholeSystem) -> None:
    """The node has accepted the create when the connection breaks: what is there is found and adopted."""
    whole_system.lab.proxmox.add("lose_answer", where="bot-1", method="POST", path="*/lxc", times=1)
    order_id = whole_system.buy("bot")
    whole_system.until_status(order_id, workload="running", order="delivered")
    assert len(whole_system.guests(order_id)) == 1


def test_a_node_that_fails_for_good_means_a_refund_and_nothing_left(whole_system: WholeSystem) -> None:
    """After the last attempt the money goes back, and every trace of the order is taken away."""
    whole_system.lab.proxmox.add("error", where="bot-1", method="POST", path="*/lxc", message="internal error")
    order_id = whole_system.buy("bot")
    whole_system.until_status(order_id, workload="deleted", order="refunded")
    assert whole_system.guests(order_id) == []
    assert whole_system.records(order_id) == []
    assert whole_system.shop.held(order_id) == NOTHING
    assert sum(whole_system.shop.ledger(order_id).values()) == 0
    reference = whole_system.shop.refund(order_id).provider_refund_id
    assert reference is not None
    assert whole_system.truth.stripe.v1.refunds.retrieve(reference).status == "succeeded"


def test_a_node_that_cannot_remove_a_guest_keeps_everything_held(whole_system: WholeSystem) -> None:
    """Nobody else gets the addresses while the guest is there; once the node is mended, cancelling takes all away."""
    order_id = whole_system.buy("bot")
    whole_system.until_status(order_id, workload="running", order="delivered")
    fault = whole_system.lab.proxmox.add(
        "error", where="bot-1", method="DELETE", path="*/lxc/*", message="internal error"
    )
    whole_system.cancel(order_id)
    whole_system.until_status(order_id, workload="needs_attention", order="delivered")
    assert len(whole_system.guests(order_id)) == 1
    assert whole_system.shop.held(order_id) == EVERYTHING
    whole_system.lab.proxmox.remove(fault)
    whole_system.cancel(order_id)
    whole_system.until_status(order_id, workload="deleted", order="delivered")
    assert whole_system.guests(order_id) == []
    assert whole_system.shop.held(order_id) == NOTHING


def test_a_refund_is_paid_once_stripe_can_be_reached_again(whole_system: WholeSystem) -> None:
    """Cancelled in the making: the guest goes, and the order stays visibly pending until the money is back."""
    whole_system.lab.proxmox.set_task_delay(3)  # so that the cancellation comes while it is being made
    fault = whole_system.lab.stripe.add("error", path="*/refunds*", status=503)
    order_id = whole_system.buy("bot")
    whole_system.at_work(order_id)
    whole_system.cancel(order_id)
    whole_system.until_status(order_id, workload="deleted", order="refund_due")
    until(lambda: whole_system.shop.refund(order_id).attempts > 0, "the first attempt to pay the refund")
    assert EntryKind.REFUND not in whole_system.shop.ledger(order_id)
    whole_system.lab.stripe.remove(fault)
    due = update(Refund).where(Refund.order_id == order_id).values(next_attempt_at=func.now())
    whole_system.shop.change(lambda session: session.execute(due))
    whole_system.until_status(order_id, workload="deleted", order="refunded")
    assert sum(whole_system.shop.ledger(order_id).values()) == 0
