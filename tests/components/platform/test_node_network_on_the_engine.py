"""A node's interfaces and private LANs on the real engine and plugin, against a freshly installed node of the lab."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmox
import pytest
from pulumi import automation as auto

from components.platform.node_network import Lan, NodeNetwork, PrivateNetwork, VSwitch
from components.platform.node_things import NodeThings
from components.specs.platform.node_network import NodeNetworkSpec, PrivateNetworkSpec
from tests.fixtures.installed_nodes import InstalledLab, NodeStack

# The stock Automation API leaves an event loop behind at each run; the fixture closes them.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

NODE = "game-1"
PEERS = {name: IPv4Address(f"10.10.16.1{place}") for place, name in enumerate(("game-1", "bot-1", "cloud-1"), 1)}
MORE_PEERS = {**PEERS, "cloud-2": IPv4Address("10.10.16.14")}
LAN_1, LAN_2 = Lan("lan-1", 10001, "192.168.101.0/24"), Lan("lan-2", 10002, "192.168.102.0/24")
SPEC = NodeNetworkSpec.model_validate(
    {
        "bridges": [
            {
                "name": "vmbr0",
                "ports": ["eno1"],
                "address": "192.0.2.10/24",
                "gateway": "192.0.2.1",
                "adopted": True,
            },
            {"name": "vmbr1", "mtu": 1500, "comment": "guests with a routed address"},
        ],
    }
)


def network(
    *lans: Lan, peers: Mapping[str, IPv4Address] = PEERS, there: NodeThings | None = None
) -> Callable[[], None]:
    """The whole program."""

    def program() -> None:
        private = PrivateNetworkSpec.model_validate(
            {"vswitch": "lab-private", "cidr": "10.10.16.0/24", "lans": [lan.name for lan in lans]}
        )
        made = NodeNetwork(
            NODE,
            SPEC,
            private=PrivateNetwork(private, VSwitch(4000, 1400), lans, peers),
            there=there or NodeThings(NODE),
            opts=pulumi.ResourceOptions(providers=[proxmox.Provider(NODE)]),
        )
        pulumi.export("vnets", made.vnets)

    return program


def things(lab: InstalledLab) -> NodeThings:
    """What the node has now."""
    api = lab.truth.node(NODE)
    return NodeThings(NODE, lambda path: list(api.get(path.removeprefix("/"))))


def interfaces(lab: InstalledLab) -> dict[str, dict[str, Any]]:
    """What the node's files say."""
    return {item["iface"]: item for item in lab.truth.node(NODE).nodes(NODE).network.get()}


def running(lab: InstalledLab) -> dict[str, Any]:
    """The vnets that run, with their tags."""
    return {item["vnet"]: item["tag"] for item in lab.truth.node(NODE).cluster.sdn.vnets.get(running=1)}


def test_a_node_is_connected_stays_the_same_and_is_left_as_it_was(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """The vSwitch's VLAN, a bridge and a LAN come and go; the bridge that the node is reached by stays."""
    before = interfaces(installed_lab)
    stack = node_stack(NODE)
    assert stack.up(network(LAN_1)) == {"vnets": {"lan-1": "v10001"}}
    found = interfaces(installed_lab)
    assert {key: found["eno1.4000"][key] for key in ("cidr", "mtu", "vlan-id", "vlan-raw-device")} == {
        "cidr": "10.10.16.11/24",
        "mtu": "1400",
        "vlan-id": "4000",
        "vlan-raw-device": "eno1",
    }
    assert found["vmbr1"]["bridge_ports"] == ""
    (zone,) = installed_lab.truth.node(NODE).cluster.sdn.zones.get(running=1)
    assert (zone["zone"], zone["type"], zone["mtu"], zone["peers"]) == (
        "lans",
        "vxlan",
        1350,
        ",".join(map(str, PEERS.values())),
    )
    assert running(installed_lab) == {"v10001": 10001}
    assert stack.pending(network(LAN_1)) == []
    assert stack.pending(network(LAN_1), refresh=True) == []
    stack.destroy()
    assert interfaces(installed_lab) == before
    assert installed_lab.truth.node(NODE).cluster.sdn.zones.get(pending=1) == []
    assert running(installed_lab) == {}


def test_lans_and_peers_that_come_and_go_are_applied(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """After each run what runs is what is wanted, and nothing waits to be applied."""
    stack = node_stack(NODE)
    stack.up(network(LAN_1))
    stack.up(network(LAN_1, LAN_2))
    assert running(installed_lab) == {"v10001": 10001, "v10002": 10002}
    stack.up(network(LAN_2, peers=MORE_PEERS))
    assert running(installed_lab) == {"v10002": 10002}
    (zone,) = installed_lab.truth.node(NODE).cluster.sdn.zones.get(pending=1)
    assert "pending" not in zone
    assert zone["peers"].endswith("10.10.16.14")
    assert stack.pending(network(LAN_2, peers=MORE_PEERS), refresh=True) == []


def test_what_was_changed_by_hand_is_seen_and_put_right(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """An MTU, a bridge that is gone, and a peer that was forgotten."""
    stack, wanted = node_stack(NODE), network(LAN_1)
    stack.up(wanted)
    node, sdn = installed_lab.truth.node(NODE).nodes(NODE), installed_lab.truth.node(NODE).cluster.sdn
    node.network("eno1.4000").put(type="vlan", cidr="10.10.16.11/24", mtu=1500)
    node.network("vmbr1").delete()
    node.network.put()
    sdn.zones("lans").put(peers="10.10.16.11")
    sdn.put()
    steps = {name: operation for operation, name in stack.pending(wanted, refresh=True)}
    assert steps == {f"{NODE}-vswitch": "update", f"{NODE}-vmbr1": "create", f"{NODE}-lans": "update"}
    stack.stack.up(program=wanted, refresh=True)
    found = interfaces(installed_lab)
    assert (found["eno1.4000"]["mtu"], "vmbr1" in found) == ("1400", True)
    assert sdn.zones("lans").get(pending=1)["pending"]["peers"].count(",") == 2


def test_a_reload_or_an_apply_that_failed_is_made_up_for_by_the_next_run(
    installed_lab: InstalledLab, node_stack: Callable[[str], NodeStack]
) -> None:
    """Nothing that is written waits for ever."""
    stack = node_stack(NODE)
    for task in ("srvreload", "reloadnetworkall"):
        installed_lab.faults.proxmox.add("task_error", where=NODE, path=task, message="ifreload failed", times=1)
        with pytest.raises(auto.CommandError, match="ifreload failed"):
            stack.up(network(LAN_1, there=things(installed_lab)))
    wanted = network(LAN_1, there=things(installed_lab))
    stack.stack.up(program=wanted, refresh=True)
    assert running(installed_lab) == {"v10001": 10001}
    assert stack.pending(wanted, refresh=True) == []
    assert all("active" in item for item in interfaces(installed_lab).values())
