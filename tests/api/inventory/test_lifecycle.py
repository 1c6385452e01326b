"""Draining, taking back and retiring: by the API and on the node's page."""

import httpx
import pytest

from api.auth.models import Role
from api.errors import NoCapacity
from api.inventory.models import Node
from tests.fixtures.inventory import ToldInventory
from tests.fixtures.shop import Shop
from tests.fixtures.trail import records


def decide(client: httpx.Client, verb: str, node: str = "cloud-1") -> httpx.Response:
    """Decide about a node."""
    return client.post(f"/v1/admin/inventory/nodes/{node}/{verb}", json={"reason": "its fans are loud"})


@pytest.fixture
def operator(inventory: ToldInventory) -> httpx.Client:
    """Return an operator's browser, with everything told."""
    inventory.tell_all()
    return inventory.api.staff(Role.OPERATOR).http


def test_a_draining_node_keeps_its_guests_and_gets_no_new_ones(
    inventory: ToldInventory, operator: httpx.Client
) -> None:
    """Until it is taken back; a report meanwhile leaves it draining."""
    inventory.shop.place()
    view = decide(operator, "drain").raise_for_status().json()
    assert (view["state"], view["guests"]) == ("draining", 1)
    inventory.tell_all()
    assert inventory.states() == {"cloud-1": "draining"}
    with pytest.raises(NoCapacity):
        inventory.shop.place()
    assert decide(operator, "activate").raise_for_status().json()["state"] == "active"
    inventory.shop.place()


def test_each_decision_is_in_the_trail_once(inventory: ToldInventory, operator: httpx.Client) -> None:
    """With its reason; the same again is no decision."""
    for verb in ("drain", "drain", "activate"):
        decide(operator, verb).raise_for_status()
    found = [one for one in records(inventory.api.runtime.database) if one.subject_type == "node"]
    assert [(one.action, one.reason) for one in found[-2:]] == [
        ("node.drain", "its fans are loud"),
        ("node.activate", "its fans are loud"),
    ]
    assert found[-2].diff == {"state": {"before": "active", "after": "draining"}}


def test_what_a_node_cannot_become_is_said(inventory: ToldInventory, operator: httpx.Client) -> None:
    """A node of a stack is retired by its stack, one without a credential cannot be drained."""
    refused = decide(operator, "retire").json()
    assert (refused["code"], "Pulumi.lab-nodes.yaml" in refused["detail"]) == ("told_by_another_stack", True)
    inventory.sync.delete("/v1/inventory/nodes/cloud-1/credential").raise_for_status()
    for verb in ("drain", "activate"):
        refused = decide(operator, verb).json()
        assert (refused["code"], "deposit its credential" in refused["detail"]) == ("node_not_ready", True)
    assert decide(operator, "drain", "nobody").status_code == httpx.codes.NOT_FOUND


def test_a_node_of_an_estate_document_is_retired_once_it_is_empty(api_shop: Shop, inventory: ToldInventory) -> None:
    """Refused with the list before."""
    operator = inventory.api.staff(Role.OPERATOR).http
    order_id = api_shop.place()
    refused = decide(operator, "retire")
    assert (refused.status_code, refused.json()["workloads"][0]["on"]) == (409, "node cloud-1")
    api_shop.fulfil(order_id, lambda fulfilment, order: fulfilment.expiry(order))
    assert decide(operator, "retire").raise_for_status().json()["state"] == "retired"
    (node,) = [node for node in api_shop.all(Node) if node.name == "cloud-1"]
    assert node.api_token_encrypted is None


def test_the_nodes_page_shows_what_remains_and_takes_the_decision(inventory: ToldInventory) -> None:
    """Its stack, whether it can be reached, and the buttons for its state; support sees them not."""
    inventory.tell_all()
    inventory.shop.place(name="remains-here")
    (node,) = inventory.shop.all(Node)
    operator = inventory.api.staff(Role.OPERATOR).http
    page = operator.get(f"/admin/nodes/{node.id}").text
    for said in ("lab-nodes", "deposited", "remains-here", f"/admin/nodes/{node.id}/drain"):
        assert said in page
    form = {"reason": "its fans are loud", "csrf_token": operator.headers["X-CSRF-Token"]}
    assert operator.post(f"/admin/nodes/{node.id}/drain", data=form).status_code == httpx.codes.SEE_OTHER
    assert inventory.states() == {"cloud-1": "draining"}
    page = operator.get(f"/admin/nodes/{node.id}").text
    assert (f"/admin/nodes/{node.id}/activate" in page, "it gets no new guests" in page) == (True, True)
    support = inventory.api.staff(Role.SUPPORT).http
    assert f"/admin/nodes/{node.id}/activate" not in support.get(f"/admin/nodes/{node.id}").text
