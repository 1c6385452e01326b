"""The ``nodes`` stack on the real engine and plugins, against freshly installed nodes."""

import pytest

from tests.fixtures.node_estate import NodeEstate, lab_nodes

pytestmark = pytest.mark.engine


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
