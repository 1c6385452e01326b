"""A node that nobody has set up yet."""

from tests.fixtures.installed_nodes import InstalledLab


def test_a_bare_node_has_one_storage_and_nothing_on_it(installed_lab: InstalledLab) -> None:
    """No template, no network but the installation's, no user but root and the lab's own."""
    for node in ("game-1", "bot-1", "cloud-1"):
        assert [item["storage"] for item in installed_lab.truth.node(node).storage.get()] == ["local"]
        assert installed_lab.truth.node_leftovers(node) == {}
        interfaces = installed_lab.truth.node(node).nodes(node).network.get()
        assert [item["iface"] for item in interfaces] == ["eno1", "vmbr0"]
