"""``slipway inventory``, at a real API and a real state table."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import update

from api.auth.models import Role
from api.machines.models import Machine
from automation.cli.inventory import differences
from components.specs.machine import MachineState
from tests.automation.cli.conftest import Terminal
from tests.factories.reports import (
    NETWORK,
    NODES,
    POOL,
    network_report,
    nodes_report,
    pool_machine,
    pool_report,
    reported_node,
)
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.state import StateTable


def stack_in_state(table: StateTable, report: Any) -> None:
    """Leave a platform stack's state as its ``up`` does."""
    with psycopg.connect(table.url) as connection:
        connection.execute("DELETE FROM pulumi_state WHERE key = %s", [table.keys.checkpoint(report["stack"])])
    urn = f"urn:pulumi:{report['stack']}::slipway::pulumi:pulumi:Stack::slipway-{report['stack']}"
    resource = {"urn": urn, "type": "pulumi:pulumi:Stack", "outputs": {"inventory": report}}
    table.checkpoint(report["stack"], resources=[resource])


@pytest.fixture
def engineer(terminal: Terminal, inventory: ToldInventory, state_table: StateTable) -> Terminal:
    """A terminal with what an engine has in its environment; two stacks are up, and nobody was told."""
    terminal.environment |= {
        "SLIPWAY_INVENTORY_URL": inventory.api.url,
        "SLIPWAY_INVENTORY_TOKEN": inventory.token,
        "SLIPWAY_STATE_DATABASE_URL": state_table.url,
    }
    for report in (network_report(), nodes_report()):
        stack_in_state(state_table, report)
    state_table.checkpoint("w-0198c5b4", resources=[{"urn": "urn:guest", "type": "cloud:Guest"}])
    return terminal


def test_what_the_state_has_is_told_once(engineer: Terminal, inventory: ToldInventory) -> None:
    """All stacks that are up, the network first; a second time changes nothing, and customers' stacks are not meant."""
    engineer.run("inventory", "sync", NETWORK)
    assert "lab-nodes: would change node cloud-1" in engineer.run("inventory", "sync", NODES, "--dry-run").stdout
    assert inventory.states() == {}
    assert "lab-nodes: changed node cloud-1" in engineer.run("inventory", "sync").stdout
    again = engineer.run("inventory", "sync").stdout.splitlines()
    assert again == ["lab-network: nothing changed", "lab-nodes: nothing changed"]
    assert inventory.states() == {"cloud-1": "pending"}


def test_drift_between_state_and_inventory_is_told_thing_by_thing(
    engineer: Terminal, inventory: ToldInventory, state_table: StateTable
) -> None:
    """And ends with 1; none ends with 0."""
    engineer.run("inventory", "sync", NETWORK)
    assert (
        "lab-nodes: nodes cloud-1: Inventory does not have it" in engineer.run("inventory", "drift", exit_code=1).stdout
    )
    engineer.run("inventory", "sync")
    assert "agree" in engineer.run("inventory", "drift").stdout
    stack_in_state(state_table, nodes_report(reported_node(bridge="vmbr7")))
    said = engineer.run("inventory", "drift", exit_code=1).stdout
    assert "lab-nodes: nodes cloud-1: bridge: Inventory has 'vmbr0', the state 'vmbr7'" in said
    assert inventory.states() == {"cloud-1": "pending"}


def test_a_refusal_says_who_is_on_it(engineer: Terminal, inventory: ToldInventory, state_table: StateTable) -> None:
    """With name, VMID and owner; the other stacks are told all the same."""
    engineer.run("inventory", "sync")
    inventory.deposit()
    workload = inventory.shop.workload(inventory.shop.place())
    stack_in_state(state_table, nodes_report(nodes=[], hosts=[]))
    said = engineer.run("inventory", "sync", exit_code=1).output
    assert f"{workload.name} (VMID {workload.vmid}, " in said
    assert "lab-network: nothing changed" in said


def test_the_pool_is_told_after_its_site_and_a_machine_of_a_customers_stays(
    engineer: Terminal, inventory: ToldInventory, state_table: StateTable
) -> None:
    """All stacks at once, on an empty Inventory; a machine that vanished from the stack is drift until it is free."""
    stack_in_state(state_table, pool_report(machines=[pool_machine(vlan=4000.0)]))
    said = engineer.run("inventory", "sync").stdout
    assert "lab-bare-metal-pool: changed server metal-1" in said
    assert "lab-bare-metal-pool: changed machine box-1" in said
    assert "agree" in engineer.run("inventory", "drift").stdout
    assert "1 machines" in " ".join(engineer.run("inventory", "show").stdout.split())
    inventory.deposit()
    workload = inventory.shop.workload(inventory.shop.place())
    held = update(Machine).values(state=MachineState.ACTIVE, workload_id=workload.id)
    inventory.shop.change(lambda session: session.execute(held))
    stack_in_state(state_table, pool_report(machines=[]))
    assert f"{workload.name} (VMID {workload.vmid}, " in engineer.run("inventory", "sync", POOL, exit_code=1).output
    said = engineer.run("inventory", "drift", exit_code=1).stdout
    assert "lab-bare-metal-pool: machines box-1: Inventory has it, the state does not" in said


@pytest.mark.parametrize(
    ("outputs", "complaint"),
    [
        ({}, "its state has no output 'inventory'"),
        ({"inventory": {"stack": NODES, "kind": "nodes", "nodes": [{}]}}, "is no report: nodes.0.name"),
        ({"inventory": {"4dabf18193072939515e22adb298388d": "1b47", "ciphertext": "v1:x"}}, "must hold none"),
    ],
)
def test_a_state_that_tells_nothing_is_named(
    engineer: Terminal, state_table: StateTable, outputs: dict[str, Any], complaint: str
) -> None:
    """Nothing is told of that stack."""
    table_rows = {"urn": "urn:stack", "type": "pulumi:pulumi:Stack", "outputs": outputs}
    state_table.checkpoint("prod-nodes", resources=[table_rows])
    assert complaint in engineer.run("inventory", "sync", "prod-nodes", exit_code=1).output
    assert "no platform stack 'lab-edge' is up" in engineer.run("inventory", "sync", "lab-edge", exit_code=1).output


def test_what_is_told_and_each_node_are_shown(engineer: Terminal) -> None:
    """As a table, and as JSON for programs."""
    engineer.run("inventory", "sync")
    shown = engineer.run("inventory", "show").stdout
    for said in ("lab-network", "2 address pools", "cloud-1", "pending", "missing"):
        assert said in shown
    assert '"is_as_told": true' in engineer.run("inventory", "show", "--json").stdout


def test_staff_drain_a_node_and_make_a_token(at_api: Terminal, inventory: ToldInventory) -> None:
    """The token is printed once, and can do one thing alone."""
    inventory.tell_all()
    staff = inventory.api.staff(Role.OPERATOR)
    at_api.environment["SLIPWAY_PASSWORD"] = "correct horse battery staple"
    at_api.run("login", "--email", staff.email)
    drained = at_api.run("inventory", "drain", "cloud-1", "--reason", "its fans are loud").stdout
    assert drained == "Node cloud-1 is draining, with 0 guests.\n"
    assert "is active" in at_api.run("inventory", "activate", "cloud-1", "--reason", "quiet again").stdout
    token = at_api.run("inventory", "token", "lab", "--days", "30").stdout.strip()
    client = inventory.api.client()
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get("/v1/inventory/stacks").status_code == 200
    assert client.get("/v1/tokens").status_code == 403


def test_differences_name_part_thing_and_field() -> None:
    """What only one side has is said so."""
    held = {"kind": "nodes", "nodes": [{"name": "a", "cores": 1}, {"name": "b"}], "sites": []}
    told = {"kind": "nodes", "nodes": [{"name": "a", "cores": 2}], "sites": [{"slug": "fsn"}]}
    assert differences(held, told) == [
        "nodes a: cores: Inventory has 1, the state 2",
        "nodes b: Inventory has it, the state does not",
        "sites fsn: Inventory does not have it",
    ]
