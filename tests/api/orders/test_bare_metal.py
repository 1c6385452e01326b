"""Orders of bare metal: what they hold, what they give back, and who gets the last machine."""

from functools import partial
from typing import Any

import pytest

from api.errors import InvalidInput
from api.machines.errors import NoMachine
from api.operations.models import OperationKind, OperationStatus
from api.orders.models import OrderStatus
from api.workloads.models import WorkloadStatus
from components.specs.machine import DiskLayout, MachineState
from tests.fixtures.metal_shop import MetalShop
from tests.fixtures.shop import NOTHING, Held
from tests.races import at_once

PATIENT = 4
MACHINE_HELD = Held(nodes=0, addresses=2, labels=1)


def test_an_order_holds_a_machine_addresses_and_a_name_and_no_node(metal_shop: MetalShop) -> None:
    """The spec says which machine, by its serial number, what is to be on it and how it is reached."""
    machine = metal_shop.add_machine()
    order_id = metal_shop.place(name="iron")
    workload, spec = metal_shop.stable.shop.workload(order_id), metal_shop.spec(order_id)
    assert (workload.machine_id, workload.node_id) == (machine.id, None)
    assert (spec.machine.machine_id, spec.machine.serial, spec.location) == (machine.id, machine.serial, machine.name)
    assert (spec.image.name, spec.layout, spec.user, len(spec.ssh_keys)) == (
        "debian-12-1",
        DiskLayout.SINGLE,
        "debian",
        1,
    )
    assert metal_shop.stable.shop.held(order_id) == MACHINE_HELD
    held = metal_shop.machine(order_id)
    assert (held.state, held.workload_id) == (MachineState.RESERVED, workload.id)
    assert workload.vmid >= 100


def test_the_layout_is_the_customers_to_choose(metal_shop: MetalShop) -> None:
    """Of those that the template can be installed with."""
    metal_shop.add_machine()
    assert metal_shop.spec(metal_shop.place(layout="raid1")).layout is DiskLayout.RAID1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ssh_keys": []}, "'ssh_keys': a machine needs at least one"),
        ({"template": "debian-12"}, "'template': 'bare-metal' cannot be ordered with template 'debian-12'"),
        ({"size": "small"}, "'size': 'bare-metal' has no size 'small'"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_holds_nothing(
    metal_shop: MetalShop, changes: dict[str, Any], complaint: str
) -> None:
    """With a sentence that names the field; the machine can still be sold."""
    machine = metal_shop.add_machine()
    with pytest.raises(InvalidInput, match=complaint):
        metal_shop.place(**changes)
    assert metal_shop.stable.state(machine) is MachineState.AVAILABLE


def test_a_guest_has_no_disk_layout(metal_shop: MetalShop) -> None:
    """What would be ignored is refused."""
    with pytest.raises(InvalidInput, match="'layout': only a bare-metal machine has one"):
        metal_shop.stable.shop.place(layout="raid1")


def test_a_class_that_is_sold_out_is_told_before_anything_is_charged(metal_shop: MetalShop) -> None:
    """Machines of another class are no substitute; no order, no payment page."""
    metal_shop.add_machine("metal-large")
    with pytest.raises(NoMachine, match="nothing was charged"):
        metal_shop.place()
    assert metal_shop.stable.shop.payments.requests == []


def test_of_two_orders_for_the_last_machine_one_wins(metal_shop: MetalShop) -> None:
    """However they meet; the others hear it before any charge, and nothing is held for them."""
    machine = metal_shop.add_machine()
    owners = [metal_shop.stable.shop.customer() for _ in range(PATIENT)]
    answers = at_once(
        [partial(metal_shop.place_once, owner, f"key-last-{number}") for number, owner in enumerate(owners)]
    )
    lost = [answer for answer in answers if isinstance(answer, NoMachine)]
    (won,) = [answer for answer in answers if not isinstance(answer, NoMachine)]
    assert len(lost) == PATIENT - 1
    assert metal_shop.machine(won.order_id).id == machine.id
    assert metal_shop.stable.shop.held(won.order_id) == MACHINE_HELD
    assert len(metal_shop.stable.shop.payments.requests) == 1


def test_an_order_that_is_not_paid_gives_its_machine_back(metal_shop: MetalShop) -> None:
    """Nothing was written to it, so that it needs no wipe; saying it twice changes nothing."""
    machine = metal_shop.add_machine()
    order_id = metal_shop.place()
    for _ in range(2):
        metal_shop.stable.shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))
    assert metal_shop.stable.state(machine) is MachineState.AVAILABLE
    assert metal_shop.stable.machine(machine).workload_id is None
    assert metal_shop.stable.shop.held(order_id) == NOTHING
    metal_shop.place()
    assert metal_shop.stable.state(machine) is MachineState.RESERVED


def test_a_machine_that_may_have_been_written_to_is_not_given_back_unwiped(metal_shop: MetalShop) -> None:
    """Whoever releases: the wipe gate asks the machine, not the order."""
    machine = metal_shop.add_machine()
    order_id = metal_shop.place()
    metal_shop.stable.move(machine, MachineState.DEPLOYING)
    metal_shop.stable.shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))
    assert metal_shop.stable.state(machine) is MachineState.DEPLOYING


def test_a_payment_queues_the_installation(metal_shop: MetalShop) -> None:
    """The machine stays reserved until an engine begins; the operation has a day, for disks take their time."""
    metal_shop.add_machine()
    order_id = metal_shop.place_paid()
    (operation,) = metal_shop.stable.shop.operations(order_id)
    assert (operation.kind, operation.status) == (OperationKind.APPLY, OperationStatus.QUEUED)
    assert (operation.deadline_at - operation.created_at).total_seconds() == pytest.approx(86_400, abs=5)
    assert metal_shop.stable.shop.workload(order_id).status is WorkloadStatus.QUEUED
    assert metal_shop.machine(order_id).state is MachineState.RESERVED


def test_a_payment_of_another_amount_gives_the_machine_back(metal_shop: MetalShop) -> None:
    """The money goes back, and the machine with it."""
    machine = metal_shop.add_machine()
    order_id = metal_shop.place()
    metal_shop.stable.shop.payments.pay(order_id, amount_cents=1)
    metal_shop.stable.shop.billing.check_order(order_id)
    assert metal_shop.stable.shop.order(order_id).status is OrderStatus.REFUND_DUE
    assert metal_shop.stable.state(machine) is MachineState.AVAILABLE


def test_repeating_an_order_finds_the_same_machine(metal_shop: MetalShop) -> None:
    """One key, one order, one machine."""
    metal_shop.add_machine()
    metal_shop.add_machine()
    owner = metal_shop.stable.shop.customer()
    first, again = (metal_shop.place_once(owner, "key-again") for _ in range(2))
    assert (first.order_id, again.is_new) == (again.order_id, False)
