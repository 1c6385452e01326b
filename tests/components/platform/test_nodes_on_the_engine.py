"""The ``nodes`` stack on the real engine and plugins, against freshly installed nodes."""

import pytest
from pulumi import automation as auto

from tests.fixtures.node_estate import NodeEstate, lab_nodes

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


def test_a_node_comes_up_stays_the_same_and_goes(node_estate: NodeEstate) -> None:
    """Nothing is left on it; the token that was deposited opens it, and is in no state."""
    document = lab_nodes("cloud-1")
    outputs = node_estate.up(document)
    assert outputs["nodes"]["cloud-1"]["class"] == "cloud"
    assert node_estate.pending(document) == []
    assert node_estate.pending(document, refresh=True) == []
    state = node_estate.exported()
    secrets = [*node_estate.secrets.values(), node_estate.desk.tokens["cloud-1"].partition("=")[2]]
    assert [secret for secret in secrets if secret in state] == []
    node_estate.stack.destroy()
    assert node_estate.lab.truth.node_leftovers("cloud-1") == {}
    assert node_estate.desk.tokens == {}


@pytest.mark.parametrize(
    ("method", "path", "after"),
    [
        ("POST", "/storage", 0),
        ("PUT", "/access/acl", 3),
        ("POST", "/cluster/firewall/groups/between-nodes", 1),
        ("POST", "/nodes/cloud-1/firewall/rules", 1),
        ("PUT", "/access/acl", 7),  # the token's own grants, once it is made
    ],
)
def test_a_run_that_a_node_broke_off_is_run_again_and_converges(
    node_estate: NodeEstate, method: str, path: str, after: int
) -> None:
    """From some request on the node answers 500; then it is well again."""
    document = lab_nodes("cloud-1")
    node_estate.lab.faults.proxmox.add("error", where="cloud-1", method=method, path=path, after=after)
    with pytest.raises(auto.CommandError, match="fault caused by the lab"):
        node_estate.up(document)
    node_estate.lab.faults.proxmox.clear()
    node_estate.up(document)
    assert node_estate.pending(document, refresh=True) == []
    assert set(node_estate.desk.tokens) == {"cloud-1"}
