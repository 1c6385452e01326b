"""Interfaces of a node: rules as Proxmox VE's, and changes that wait for a reload."""

from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ResourceException

if TYPE_CHECKING:
    from lab.client import RunningLab


@pytest.fixture
def node(lab: "RunningLab") -> Any:
    """A node, by the vendor's own client."""
    return lab.truth.node("game-1").nodes("game-1")


def test_a_change_waits_for_a_reload_and_can_be_taken_back(lab: "RunningLab", node: Any) -> None:
    """Every answer shows what is written; after a revert it is what was."""
    before = node.network.get()
    node.network.post(iface="vmbr1", type="bridge", cidr="10.0.0.1/24", mtu=1400, autostart=1)
    bridge = next(item for item in node.network.get() if item["iface"] == "vmbr1")
    assert {key: bridge[key] for key in ("cidr", "address", "netmask", "mtu", "method", "bridge_ports")} == {
        "cidr": "10.0.0.1/24",
        "address": "10.0.0.1",
        "netmask": "24",
        "mtu": "1400",
        "method": "static",
        "bridge_ports": "",
    }
    assert "active" not in bridge
    node.network.delete()
    assert node.network.get() == before
    node.network.post(iface="vmbr1", type="bridge")
    task = node.network.put()
    assert lab.truth.node("game-1").nodes("game-1").tasks(task).status.get()["exitstatus"] == "OK"
    assert node.network("vmbr1").get()["active"] == 1


def test_a_vlan_knows_its_card_and_tag_by_its_name(node: Any) -> None:
    """As the reader of the interfaces file does."""
    node.network.post(iface="eno1.4000", type="vlan")
    vlan = node.network("eno1.4000").get()
    assert (vlan["vlan-raw-device"], vlan["vlan-id"]) == ("eno1", "4000")


def test_settings_are_changed_and_deleted_one_by_one(node: Any) -> None:
    """What is not named stays."""
    node.network.post(iface="vmbr1", type="bridge", cidr="10.0.0.1/24", mtu=1400, comments="mine")
    node.network("vmbr1").put(type="bridge", comments="yours", delete="mtu,cidr")
    bridge = node.network("vmbr1").get()
    assert bridge["comments"] == "yours\n"
    assert bridge.keys() & {"mtu", "address", "netmask", "cidr"} == set()


@pytest.mark.parametrize(
    ("iface", "fields", "problem"),
    [
        ("vmbr0", {"type": "bridge"}, "interface already exists"),
        (
            "vmbr1",
            {"type": "bridge", "cidr": "10.0.0.2/24", "gateway": "10.0.0.1"},
            "interface 'vmbr0'",
        ),
        ("vmbr1", {"type": "bridge", "mtu": 100}, "mtu"),
        ("vmbr1", {"type": "bridge", "cidr6": "ff02::1/64"}, "not a valid host"),
    ],
)
def test_what_proxmox_refuses_is_refused(node: Any, iface: str, fields: dict[str, Any], problem: str) -> None:
    """In its words."""
    with pytest.raises(ResourceException, match=problem):
        node.network.post(iface=iface, **fields)


@pytest.mark.parametrize("call", ["get", "delete", "put"])
def test_an_interface_that_is_not_there_is_told(node: Any, call: str) -> None:
    """Whatever is asked of it."""
    with pytest.raises(ResourceException, match="interface does not exist"):
        getattr(node.network("vmbr9"), call)(**({"type": "bridge"} if call == "put" else {}))
