"""Creates of the ``nodes`` stack that a node carried out, but whose answers did not arrive."""

from typing import Any

import pytest
from pulumi import automation as auto

from tests.fixtures.node_estate import NodeEstate, lab_nodes

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

NODE = "cloud-1"
CREATES = (
    "/access/roles",
    "/access/users",
    "/pools",
    "/storage",
    "/cluster/metrics/server/*",
    f"/nodes/{NODE}/network",
    "/cluster/sdn/zones",
    "/cluster/sdn/vnets",
    f"/nodes/{NODE}/qemu",
)


def wanted() -> dict[str, Any]:
    """The node with one template."""
    document = lab_nodes(NODE)
    return {**document, "templates": [item for item in document["templates"] if item.get("vmid") == 9000]}


def runs_until_up(estate: NodeEstate, document: dict[str, Any]) -> int:
    """Run it again as often as an answer is lost, and return how often that was with the last."""
    for run in range(1, len(CREATES) + 1):
        try:
            estate.up(document)
        except auto.CommandError:
            continue
        return run
    estate.up(document)
    return len(CREATES) + 1


@pytest.mark.parametrize("kind", ["late_error", "lose_answer"])
def test_what_a_lost_answer_left_behind_is_taken_over_by_the_next_run(node_estate: NodeEstate, kind: str) -> None:
    """One of each kind is made with its answer lost; the runs after that find it and go on, and nothing is left."""
    document, faults = wanted(), node_estate.lab.faults.proxmox
    for path in CREATES:
        faults.add(kind, where=NODE, method="POST", path=path, times=1)

    assert runs_until_up(node_estate, document) > 1

    assert [fault.hits for fault in faults.all()] == [1] * len(CREATES)
    assert node_estate.pending(document) == []
    assert node_estate.pending(document, refresh=True) == []
    guests = node_estate.lab.truth.node(NODE).nodes(NODE).qemu.get()
    assert [(guest["vmid"], guest["template"]) for guest in guests] == [(9000, 1)]
    node_estate.stack.destroy()
    assert node_estate.lab.truth.node_leftovers(NODE) == {}


def test_what_is_another_s_is_refused_and_not_touched(node_estate: NodeEstate) -> None:
    """A storage of the same name, then a machine with a template's number: a sentence says which, and what differs."""
    document, api = wanted(), node_estate.lab.truth.node(NODE)
    api.storage.post(storage="images", type="dir", path="/srv/foreign", content="import")
    with pytest.raises(auto.CommandError) as refused:
        node_estate.up(document)
    said = str(refused.value)
    assert f"the node '{NODE}' has a storage 'images' that is not as wanted" in said
    assert "path is /srv/foreign, not /var/lib/slipway/images" in said
    assert "storage ID 'images' already defined" in said
    assert api.storage("images").get()["path"] == "/srv/foreign"

    api.storage("images").delete()
    api.nodes(NODE).qemu.post(vmid=9000, name="somebodys", memory=512)
    with pytest.raises(auto.CommandError, match="has a virtual machine '9000' that is none of this stack's"):
        node_estate.up(document)
    assert api.nodes(NODE).qemu(9000).config.get()["name"] == "somebodys"
