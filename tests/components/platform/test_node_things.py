"""What a node has already, and which of it is taken over."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.platform.node_things import NodeThings
from components.pve_access.errors import Unreachable
from tests.fakes.pulumi_monitor import run_program

LISTS: dict[str, list[Mapping[str, Any]]] = {
    "/nodes/cloud-1/network": [{"iface": "vmbr0", "cidr": "192.0.2.10/24"}, {"iface": "eno1"}],
    "/nodes/cloud-1/qemu": [{"vmid": 9000, "name": "debian-12-1", "tags": "slipway;template"}],
    "/storage": [{"storage": "images", "type": "dir", "path": "/srv/images", "content": "import,iso"}],
    "/cluster/sdn/vnets": [
        {"vnet": "v10001", "zone": "lans", "alias": "lan-1"},
        {"vnet": "v10002", "zone": "lans", "alias": "twice"},
        {"vnet": "v10003", "zone": "lans", "alias": "twice"},
        {"vnet": "v10004", "zone": "lans"},
    ],
}
IMAGES = {"type": "dir", "path": "/srv/images", "content": frozenset({"iso", "import"})}
TEMPLATE = {"name": "debian-12-1", "tags": frozenset({"template", "slipway"})}


class Node:
    """Answers, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, path: str) -> list[Mapping[str, Any]]:
        """Answer one GET."""
        self.asked.append(path)
        return LISTS[path]


@pytest.fixture
def node() -> Node:
    """A node with a few things."""
    return Node()


@pytest.fixture
def things(node: Node) -> NodeThings:
    """What is on it."""
    return NodeThings("cloud-1", node)


def test_a_kind_is_asked_for_once(node: Node, things: NodeThings) -> None:
    """However many of it there are."""
    assert things.find("storage", "images") == LISTS["/storage"][0]
    assert things.find("storage", "other") is None
    assert things.interfaces() == {"vmbr0": "192.0.2.10/24", "eno1": ""}
    assert node.asked == ["/storage", "/nodes/cloud-1/network"]


def test_what_is_there_as_wanted_is_imported_by_its_name(things: NodeThings) -> None:
    """In whatever order its lists are."""
    taken = things.take_over("storage", "images", IMAGES, pulumi.ResourceOptions(protect=True))
    assert (taken.import_, taken.protect) == ("images", True)


def test_what_is_not_there_is_not_imported(things: NodeThings) -> None:
    """It is simply made."""
    assert things.take_over("storage", "other", IMAGES, pulumi.ResourceOptions()).import_ is None


def test_what_is_there_but_is_another_is_told_and_not_imported(
    things: NodeThings, caplog: pytest.LogCaptureFixture
) -> None:
    """With each setting that differs."""
    wanted = {**IMAGES, "path": "/var/lib/images", "shared": 1}

    def program() -> dict[str, pulumi.Output[Any]]:
        options = things.take_over("storage", "images", wanted, pulumi.ResourceOptions())
        return {"imported": pulumi.Output.from_input(options.import_)}

    assert run_program(program).outputs == {"imported": None}
    said = caplog.text
    assert "the node 'cloud-1' has a storage 'images' that is not as wanted" in said
    assert "path is /srv/images, not /var/lib/images; shared is not set, not 1" in said


def test_a_machine_that_is_another_s_is_refused(things: NodeThings) -> None:
    """Ours, and none, are not."""
    things.refuse_others("virtual machine", "9000", TEMPLATE)
    things.refuse_others("virtual machine", "9001", TEMPLATE)
    with pytest.raises(pulumi.RunError, match=r"virtual machine '9000' that is none of .*name is debian-12-1, not it"):
        things.refuse_others("virtual machine", "9000", {**TEMPLATE, "name": "it"})


@pytest.mark.parametrize(("alias", "found"), [("lan-1", "v10001"), ("twice", None), ("lan-9", None)])
def test_a_vnet_is_found_by_its_alias_if_only_one_has_it(things: NodeThings, alias: str, found: str | None) -> None:
    """Its id comes of a number that is known only later."""
    assert things.vnet("lans", alias) == found
    assert things.vnet("other", alias) is None


def test_a_node_that_is_blank_has_nothing() -> None:
    """It is not asked."""
    blank = NodeThings("cloud-1")
    assert (blank.interfaces(), blank.find("role", "Any"), blank.vnet("lans", "lan-1")) == ({}, None, None)


def test_a_node_that_does_not_answer_ends_the_program() -> None:
    """In its own words."""

    def silent(path: str) -> list[Mapping[str, Any]]:
        raise Unreachable(f"the node 'cloud-1' did not answer GET {path}; run again")

    with pytest.raises(pulumi.RunError, match="did not answer GET /pools; run again"):
        NodeThings("cloud-1", silent).find("pool", "cloud")
