"""Reports that come together, and orders that come meanwhile."""

from functools import partial
from typing import Any

from api.audit.trail import SYSTEM
from api.errors import NoCapacity, SlipwayError
from api.inventory.errors import StillInUse
from api.inventory.models import Allocation, Node, NodeState
from api.inventory.reports import Outcome, StackReports
from components.specs.platform import StackReport
from tests.factories.reports import network_report, nodes_report, reported_node
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.trail import records
from tests.races import at_once

ROUNDS = 8


def apply(inventory: ToldInventory, report: dict[str, Any]) -> Outcome:
    """Report within a transaction of its own, as a request does."""
    parsed = StackReport.model_validate(report)
    return inventory.shop.change(lambda session: StackReports(session).apply(parsed, SYSTEM))


def reported(inventory: ToldInventory) -> int:
    """How many reports the audit trail has."""
    return [one.action for one in records(inventory.api.runtime.database)].count("inventory.report")


def test_two_reports_of_one_stack_at_once_are_one_after_the_other(inventory: ToldInventory) -> None:
    """What is held in the end is what one of them told, whole; and the trail says what each changed."""
    inventory.told(network_report())
    reports = [
        nodes_report(*(reported_node(name, server_number=None) for name in names))
        for names in (("cloud-1", "cloud-2"), ("cloud-2", "cloud-3"))
    ]
    results = at_once([partial(apply, inventory, report) for report in reports])
    assert all(isinstance(result, Outcome) for result in results), results
    in_use = {node.name for node in inventory.shop.all(Node) if node.state is not NodeState.RETIRED}
    assert in_use in ({"cloud-1", "cloud-2"}, {"cloud-2", "cloud-3"})
    assert inventory.sync.get("/v1/inventory/stacks/lab-nodes").json()["is_as_told"]
    assert reported(inventory) == 3


def test_the_same_report_at_once_is_one_record(inventory: ToldInventory) -> None:
    """An engine that sends it again while the first is still at work."""
    results = at_once([lambda: apply(inventory, network_report())] * 4)
    assert sorted(bool(result.changes) for result in results) == [False, False, False, True]
    assert reported(inventory) == 1


def test_an_order_and_the_withdrawal_of_its_node_never_both_happen(inventory: ToldInventory) -> None:
    """Whoever locks the node first: a retired node never carries a workload, and a refusal changes nothing."""
    inventory.tell_all()
    for _ in range(ROUNDS):
        order, withdrawal = at_once([inventory.shop.place, lambda: apply(inventory, nodes_report(nodes=[], hosts=[]))])
        (node,) = inventory.shop.all(Node)
        held = [one for one in inventory.shop.all(Allocation) if one.released_at is None]
        if node.state is NodeState.RETIRED:
            assert (isinstance(order, NoCapacity), held) == (True, [])
        else:
            assert (isinstance(withdrawal, StillInUse), len(held)) == (True, 1)
            inventory.shop.fulfil(order, lambda fulfilment, row: fulfilment.expiry(row))
        apply(inventory, nodes_report())
        inventory.deposit()
        assert inventory.states() == {"cloud-1": "active"}


def test_an_order_and_the_withdrawal_of_addresses_and_zone_never_both_happen(inventory: ToldInventory) -> None:
    """The order gets all or nothing, and nobody sees an error that is not ours."""
    inventory.tell_all()
    without = network_report(address_pools=[], dns_zones=[])
    for _ in range(ROUNDS):
        order, withdrawal = at_once([inventory.shop.place, lambda: apply(inventory, without)])
        if isinstance(order, SlipwayError):
            assert isinstance(withdrawal, Outcome), (order, withdrawal)
        else:
            assert isinstance(withdrawal, StillInUse), (order, withdrawal)
            inventory.shop.fulfil(order, lambda fulfilment, row: fulfilment.expiry(row))
        apply(inventory, network_report())
