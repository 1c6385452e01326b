"""A node that nobody has set up yet."""

from tests.fixtures.bare_nodes import BareLab


def test_a_bare_node_has_one_storage_and_nothing_on_it(bare_lab: BareLab) -> None:
    """No template, no network but the installation's, no user but root and the lab's own."""
    for node in ("game-1", "bot-1", "cloud-1"):
        assert [item["storage"] for item in bare_lab.truth.node(node).storage.get()] == ["local"]
        assert bare_lab.truth.node_leftovers(node) == {}
        interfaces = bare_lab.truth.node(node).nodes(node).network.get()
        assert [item["iface"] for item in interfaces] == ["eno1", "vmbr0"]
