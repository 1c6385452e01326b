"""A platform stack tells Inventory: the real engine, the real API, and the lab's Robot for what the stack makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pulumi import automation as auto
from sqlalchemy import delete

from api.inventory.platform_models import PlatformStack
from components.network.vswitch import VSwitch
from components.specs.platform import PlatformKind, PlatformSpec
from stacks.platform.program import Declared, run
from tests.factories.reports import NODES, network_report, reported_node
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.robot_estate import Estate

pytestmark = pytest.mark.engine


@dataclass
class NodesProgram:
    """A stack that makes a vSwitch for each node, and tells of the nodes; its list of resources is empty on purpose."""

    names: Sequence[str]

    def declare(self) -> Declared:
        """Declare them."""
        for name in self.names:
            VSwitch(name, name=name, vlan=4000 + int(name[-1]))
        nodes: list[dict[str, Any]] = [reported_node(name, server_number=None) for name in self.names]
        return Declared(report={"nodes": nodes})


def nodes(*names: str, tells: bool = True) -> Callable[[], None]:
    """A program of the nodes stack."""
    spec = PlatformSpec(tells_inventory=tells)
    return lambda: run(NodesProgram(names), stack=NODES, kind=PlatformKind.NODES, spec=spec)


@pytest.fixture
def told(estate: Estate, inventory: ToldInventory) -> ToldInventory:
    """Return an Inventory that knows the site, and that the stack's engine can reach."""
    inventory.told(network_report())
    estate.environment |= {"SLIPWAY_INVENTORY_URL": inventory.api.url, "SLIPWAY_INVENTORY_TOKEN": inventory.token}
    return inventory


def made(robot: httpx.Client) -> list[str]:
    """The vSwitches that there are."""
    return sorted(item["name"] for item in robot.get("/vswitch").json() if not item["cancelled"])


def test_a_stack_tells_what_it_made_and_takes_it_back(estate: Estate, told: ToldInventory, robot: httpx.Client) -> None:
    """Up, an empty preview, an empty preview with refresh, a change, and nothing left at the end."""
    estate.up(nodes("cloud-1"))
    assert told.states() == {"cloud-1": "pending"}
    assert estate.pending(nodes("cloud-1")) == []
    assert estate.pending(nodes("cloud-1"), refresh=True) == []
    estate.up(nodes("cloud-1", "cloud-2"))
    estate.up(nodes("cloud-2"))
    assert told.states() == {"cloud-1": "retired", "cloud-2": "pending"}
    estate.stack.destroy()
    assert set(told.states().values()) == {"retired"}
    assert (told.sync.get(f"/v1/inventory/stacks/{NODES}").status_code, made(robot)) == (404, [])


def test_a_node_with_customers_is_not_taken_away(estate: Estate, told: ToldInventory, robot: httpx.Client) -> None:
    """The preview says so with their list; an update and a destroy stop before anything is deleted."""
    both, one = nodes("cloud-1", "cloud-2"), nodes("cloud-2")
    estate.up(both)
    told.deposit("cloud-1")
    order_id = told.shop.place()
    listed = (
        rf"{told.shop.workload(order_id).name} \(VMID {told.shop.workload(order_id).vmid}\) of \S+, on node cloud-1"
    )
    for attempt in (
        lambda: estate.stack.preview(program=one),
        lambda: estate.stack.up(program=one),
        estate.stack.destroy,
    ):
        with pytest.raises(auto.CommandError, match=listed):
            attempt()
        assert made(robot) == ["cloud-1", "cloud-2"]
    assert estate.pending(both) == []
    told.shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))
    estate.up(one)
    assert (made(robot), told.states()["cloud-1"]) == (["cloud-2"], "retired")


def test_drift_between_state_and_inventory_is_seen_and_put_right(estate: Estate, told: ToldInventory) -> None:
    """A row changed by somebody else, and the whole record lost."""
    program = nodes("cloud-1")
    estate.up(program)
    told.sync.put(f"/v1/inventory/stacks/{NODES}", json={"stack": NODES, "kind": "nodes"}).raise_for_status()
    assert estate.pending(program, refresh=True) == ["update"]
    estate.stack.up(program=program, refresh=True)
    assert told.states() == {"cloud-1": "pending"}
    told.shop.change(lambda session: session.execute(delete(PlatformStack).where(PlatformStack.stack == NODES)))
    assert estate.pending(program, refresh=True) == ["create"]
    estate.stack.up(program=program, refresh=True)
    assert told.sync.get(f"/v1/inventory/stacks/{NODES}").json()["is_as_told"]


def test_a_wrong_token_is_said_with_what_to_do(estate: Estate, told: ToldInventory, robot: httpx.Client) -> None:
    """In the preview already: nothing is made that Inventory could not be told of."""
    estate.environment["SLIPWAY_INVENTORY_TOKEN"] = "slw_made-up"
    with pytest.raises(auto.CommandError, match="wrong, expired or revoked; `slipway inventory token`"):
        estate.stack.preview(program=nodes("cloud-1"))
    del estate.environment["SLIPWAY_INVENTORY_TOKEN"]
    with pytest.raises(auto.CommandError, match="SLIPWAY_INVENTORY_TOKEN: Field required"):
        estate.stack.preview(program=nodes("cloud-1"))
    estate.up(nodes("cloud-1", tells=False))
    assert (made(robot), told.states()) == (["cloud-1"], {})
