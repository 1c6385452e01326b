"""The ``nodes`` stack on the real engine and plugins, against freshly installed nodes."""

import pytest
from pulumi import automation as auto

from tests.fixtures.node_estate import NodeEstate, lab_nodes

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

MOST_CALLS_FOR_A_PEER = 20
"""Requests that a node is sent when another one joins."""
MOST_CALLS = 90
"""Requests that one node is sent when it is set up."""


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
    assert "stackTrace" not in state
    node_estate.stack.destroy()
    assert node_estate.lab.truth.node_leftovers("cloud-1") == {}
    assert node_estate.desk.tokens == {}


def test_what_was_done_by_hand_is_seen_and_put_right(node_estate: NodeEstate) -> None:
    """A privilege more, a rule of the host, a switch, a storage's content, a token gone."""
    document = lab_nodes("cloud-1")
    node_estate.up(document)
    api = node_estate.lab.truth.node("cloud-1")
    api.access.roles("SlipwayGuests").put(privs="Sys.Modify", append=1)
    api.nodes("cloud-1").firewall.rules.post(type="in", action="ACCEPT", proto="tcp", dport="23", enable=1)
    api.storage("local-lvm").put(content="images")
    api.cluster.metrics.server("observability").put(server="192.0.2.66", port=2003)
    api.access.users("slipway@pve").token("control-plane-1").delete()
    steps = [("create", "NodeAccess"), ("update", "Lvmthin"), ("update", "NodeFirewall")]
    steps += [("update", "RoleLegacy"), ("update", "Server")]
    assert sorted(node_estate.pending(document, refresh=True)) == steps
    node_estate.up(document, refresh=True)
    assert node_estate.pending(document, refresh=True) == []
    (token,) = api.access.users("slipway@pve").token.get()
    assert token["tokenid"] == node_estate.desk.tokens["cloud-1"].partition("=")[0].partition("!")[2]


def test_one_node_more_costs_a_constant_number_of_calls(node_estate: NodeEstate) -> None:
    """Each is asked as often as the first was, and the first hears only that it has a peer more."""
    one, two = lab_nodes("bot-1"), lab_nodes("bot-1", "game-1")
    node_estate.up(one)
    first = node_estate.requests("bot-1")
    node_estate.up(two)
    second = node_estate.requests("game-1")
    heard = node_estate.requests("bot-1")[len(first) :]
    changes = [(method, path.removeprefix("/api2/json")) for method, path in heard if method != "GET"]
    assert changes[0] == ("POST", "/access/ticket")  # the program looks at the interfaces
    assert {path for method, path in changes if method == "PUT"} == {"/cluster/sdn", "/cluster/sdn/zones/lans"}
    assert len(heard) <= MOST_CALLS_FOR_A_PEER
    assert len(second) == len(first) <= MOST_CALLS


def test_a_node_that_was_awaited_changes_nothing_on_the_others(node_estate: NodeEstate) -> None:
    """They carry customers: their network is not applied anew for a neighbour."""
    one, two = lab_nodes("bot-1"), lab_nodes("bot-1", "game-1")
    (address,) = (node["private_address"] for node in two["nodes"] if node["name"] == "game-1")
    for document in (one, two):
        document["private_network"]["awaited"] = [address]
    node_estate.up(one)
    first = node_estate.requests("bot-1")
    node_estate.up(two)
    heard = node_estate.requests("bot-1")[len(first) :]
    assert [(method, path) for method, path in heard if method != "GET"] == [("POST", "/api2/json/access/ticket")]


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
