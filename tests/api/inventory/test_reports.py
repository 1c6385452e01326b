"""State sync: what the platform stacks tell becomes what is sold from."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.auth.models import Role
from api.dns.models import DnsZone
from api.inventory.models import Node, NodeState, NodeTemplate, Site
from api.inventory.platform_models import Network, NodeStorage, PlatformHost, PoolServer
from api.ipam.models import Address, AddressPool
from tests.factories.estate import estate
from tests.factories.reports import NETWORK, NODES, network_report, nodes_report, pool_report, reported_node
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.trail import records

WRITTEN = (Site, Node, NodeTemplate, NodeStorage, AddressPool, Address, DnsZone, Network, PoolServer, PlatformHost)


def counts(inventory: ToldInventory) -> list[int]:
    """How many rows each table of the estate has."""
    return [len(inventory.shop.all(model)) for model in WRITTEN]


def actions(inventory: ToldInventory) -> list[str]:
    """What the audit trail says of the inventory."""
    found = records(inventory.api.runtime.database)
    return [one.action for one in found if one.action.startswith(("inventory.", "node."))]


def test_orders_land_on_nodes_that_only_stacks_have_told_of(inventory: ToldInventory) -> None:
    """Site, node, templates, addresses and zone come from two reports; the credential was deposited."""
    inventory.tell_all()
    order_id = inventory.shop.place()
    workload = inventory.shop.workload(order_id)
    (node,) = inventory.shop.all(Node)
    assert (workload.node_id, workload.desired["dns"]["zone_name"]) == (node.id, "slipway.example")
    assert counts(inventory) == [1, 1, 2, 1, 2, 254, 1, 3, 1, 1]


def test_telling_twice_is_telling_once(inventory: ToldInventory) -> None:
    """The second report changes no row and leaves no record in the audit trail."""
    inventory.tell_all()
    before = actions(inventory)
    for report in (network_report(), nodes_report(), pool_report()):
        assert inventory.told(report) == {}
    inventory.deposit()
    assert actions(inventory) == before == [*["inventory.report"] * 3, "node.deposit_credential"]


def test_the_trail_says_who_told_what_and_holds_no_credential(inventory: ToldInventory) -> None:
    """Field by field, before and after."""
    inventory.tell_all()
    inventory.told(nodes_report(reported_node(memory_mib=100_000)))
    last = records(inventory.api.runtime.database)[-1]
    assert (last.action, last.subject_type, last.subject_id) == ("inventory.report", "platform_stack", NODES)
    assert last.diff == {"node cloud-1": {"total_memory_mib": {"before": 65_536, "after": 95_904}}}
    assert last.actor_name.startswith("customer")  # the address of the operator whose token it is
    assert "00000000-0000-4000" not in str([one.diff for one in records(inventory.api.runtime.database)])


def test_a_node_without_a_credential_is_stored_and_not_placed_on(inventory: ToldInventory) -> None:
    """It waits; the deposit takes it into use, in whichever order the two come."""
    inventory.told(network_report())
    inventory.deposit("early-1")
    inventory.told(nodes_report(reported_node("late-1"), reported_node("early-1", server_number=1)))
    assert inventory.states() == {"early-1": "active", "late-1": "pending"}
    inventory.deposit("late-1")
    assert inventory.states() == {"early-1": "active", "late-1": "active"}


def test_a_node_that_is_told_of_no_more_is_retired_and_remembered(inventory: ToldInventory) -> None:
    """Nothing was on it; its row stays, without what opens it. Told of again, it waits for a credential."""
    inventory.tell_all()
    inventory.sync.delete("/v1/inventory/nodes/cloud-1/credential").raise_for_status()
    inventory.deposit()
    inventory.told(nodes_report(nodes=[], hosts=[]))
    (node,) = inventory.shop.all(Node)
    assert (node.state, node.api_token_encrypted) == (NodeState.RETIRED, None)
    assert (inventory.shop.all(PlatformHost), inventory.shop.all(NodeTemplate)) == ([], [])
    inventory.sync.delete("/v1/inventory/nodes/cloud-1/credential").raise_for_status()
    inventory.told(nodes_report())
    assert inventory.states() == {"cloud-1": "pending"}


def test_what_customers_are_on_is_not_taken_away(inventory: ToldInventory) -> None:
    """A report without it, and the withdrawal of the stack, are refused with the list; nothing is changed."""
    inventory.tell_all()
    order_id = inventory.shop.place()
    workload = inventory.shop.workload(order_id)
    before = counts(inventory)
    attempts = [
        inventory.put(nodes_report(nodes=[], hosts=[])),
        inventory.put(nodes_report(nodes=[], hosts=[]), dry_run=True),
        inventory.sync.delete(f"/v1/inventory/stacks/{NODES}"),
        inventory.sync.delete("/v1/inventory/nodes/cloud-1/credential"),
    ]
    for answer in attempts:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "still_in_use")
        (listed,) = problem["workloads"]
        assert (listed["name"], listed["vmid"], listed["on"]) == (workload.name, workload.vmid, "node cloud-1")
        assert "@" in listed["owner"]
        assert f"VMID {workload.vmid}" in problem["detail"]
    assert counts(inventory) == before
    assert inventory.states() == {"cloud-1": "active"}


@pytest.mark.parametrize(
    ("lacking", "on"),
    [
        ({"address_pools": []}, {"address pool fsn-v4-1", "address pool fsn-v6-1"}),
        ({"dns_zones": []}, {"zone slipway.example"}),
    ],
)
def test_addresses_and_names_that_customers_hold_stay(
    inventory: ToldInventory, lacking: dict[str, Any], on: set[str]
) -> None:
    """A pool or zone goes when nobody holds anything of it."""
    inventory.tell_all()
    order_id = inventory.shop.place()
    refused = inventory.put(network_report(**lacking))
    assert (refused.status_code, {one["on"] for one in refused.json()["workloads"]}) == (409, on)
    inventory.shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))
    gone = inventory.told(network_report(**lacking))
    assert set(gone) == {thing.removeprefix("address ") for thing in on}


def test_a_site_goes_last(inventory: ToldInventory) -> None:
    """Refused while anything is there; a retired node alone does not hold it, and keeps its row."""
    inventory.tell_all()
    refused = inventory.sync.delete(f"/v1/inventory/stacks/{NETWORK}")
    assert refused.status_code == 409
    assert refused.json()["things"] == ["node 'cloud-1' is at site 'fsn'", "server 'metal-1' is at site 'fsn'"]
    for stack in (NODES, "lab-bare-metal-pool", NETWORK):
        inventory.sync.delete(f"/v1/inventory/stacks/{stack}").raise_for_status()
    assert inventory.sync.get("/v1/inventory/stacks").json() == []
    assert counts(inventory) == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_a_dry_run_says_what_would_change_and_changes_nothing(inventory: ToldInventory) -> None:
    """The same answer as the real one, and no record of it."""
    told = inventory.put(network_report(), dry_run=True).json()
    assert (told["dry_run"], counts(inventory), actions(inventory)) == (True, [0] * 10, [])
    really = inventory.put(network_report()).json()
    assert really["changes"] == told["changes"]
    assert really["digest"] == told["digest"]


def test_what_is_held_is_what_was_told(inventory: ToldInventory) -> None:
    """Until somebody changes or removes a row: then that shows, thing by thing."""
    inventory.tell_all()
    for stack in (NETWORK, NODES, "lab-bare-metal-pool"):
        view = inventory.sync.get(f"/v1/inventory/stacks/{stack}").json()
        assert view["held"] == view["told"]
        assert view["is_as_told"]
    inventory.shop.change(lambda session: session.execute(update(Node).values(total_memory_mib=70_000, bridge="vmbr9")))
    inventory.shop.change(lambda session: session.delete(session.scalars(select(PlatformHost)).one()))
    view = inventory.sync.get(f"/v1/inventory/stacks/{NODES}").json()
    assert not view["is_as_told"]
    (node,) = view["held"]["nodes"]
    assert (node["memory_mib"], node["bridge"], view["held"]["hosts"]) == (74_096, "vmbr9", [])
    inventory.told(nodes_report())
    assert inventory.sync.get(f"/v1/inventory/stacks/{NODES}").json()["is_as_told"]


@pytest.mark.parametrize(
    ("report", "status", "said"),
    [
        (nodes_report(reported_node(site="mars")), 422, "node 'cloud-1' is at site 'mars', which no stack has told of"),
        (nodes_report(reported_node(templates=[{"template": "hal", "version": "1", "source": "9"}])), 422, "'hal'"),
        (nodes_report(stack="lab-network"), 422, "not the name of a stack of the kind 'nodes'"),
        (nodes_report(reported_node(), reported_node()), 422, "'nodes' has 'cloud-1' twice"),
        (network_report(stack="prod-network"), 409, "address pool 'fsn-v4-1' is described by the stack 'lab-network'"),
        (pool_report(stack="prod-bare-metal-pool", servers=[]), 200, ""),
    ],
)
def test_what_a_report_cannot_mean_is_named(
    inventory: ToldInventory, report: dict[str, Any], status: int, said: str
) -> None:
    """And nothing of it is kept."""
    inventory.tell_all()
    before = counts(inventory)
    answer = inventory.put(report)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert counts(inventory) == before


def test_an_estate_document_leaves_alone_what_a_stack_describes(inventory: ToldInventory) -> None:
    """Both may be there, as in a lab that is imported at each start."""
    inventory.tell_all()
    inventory.shop.stock(estate(pools=[]))
    nodes = {node.name: (node.storage, node.state) for node in inventory.shop.all(Node)}
    assert nodes["cloud-1"] == ("local-lvm", NodeState.ACTIVE)
    assert nodes["game-1"] == ("local-zfs", NodeState.ACTIVE)
    zones = {zone.name: zone.is_default for zone in inventory.shop.all(DnsZone)}
    assert zones == {"slipway.example": True, "play.example": False}


def test_the_stacks_token_can_do_nothing_else(inventory: ToldInventory) -> None:
    """It reads no customer, and support may not report at all."""
    assert inventory.sync.get("/v1/me").status_code == httpx.codes.FORBIDDEN
    assert inventory.sync.get("/v1/admin/policy").status_code == httpx.codes.FORBIDDEN
    assert inventory.sync.get("/v1/inventory/prometheus-targets").status_code == httpx.codes.FORBIDDEN
    support = inventory.api.staff(Role.SUPPORT).token_client("inventory:sync")
    refused = support.put(f"/v1/inventory/stacks/{NETWORK}", json=network_report())
    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
