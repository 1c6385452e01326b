"""What of nodes' networks can be told to be wrong before anything exists."""

from ipaddress import IPv4Address
from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.platform.node_network import (
    NodeNetworkSpec,
    PrivateLan,
    PrivateNetworkSpec,
    VSwitchLink,
    check_lans,
    overlay_mtu,
    vnet_name,
)


def lan(number: int, **changes: Any) -> PrivateLan:
    """A private LAN."""
    fields = {"name": f"lan-{number}", "tag": 10_000 + number, "cidr": f"192.168.{number}.0/24", **changes}
    return PrivateLan.model_validate(fields)


def private(**changes: Any) -> PrivateNetworkSpec:
    """A network between nodes."""
    return PrivateNetworkSpec.model_validate({"vswitch": "lab-private", "cidr": "10.10.16.0/24", **changes})


def test_a_vnet_s_name_fits_in_eight_characters_and_is_no_other_s() -> None:
    """At the ends of the range, and where the way of writing changes."""
    tags = (1, 10_001, 9_999_999, 10_000_000, 2**24 - 1)
    names = [vnet_name(tag) for tag in tags]
    assert names == ["v1", "v10001", "v9999999", "x989680", "xffffff"]
    assert max(map(len, names)) <= 8


@pytest.mark.parametrize(
    ("vswitch", "wanted", "mtu"), [(1400, None, 1350), (1400, 1350, 1350), (1400, 1280, 1280), (1390, None, 1340)]
)
def test_a_private_lan_leaves_room_for_its_headers(vswitch: int, wanted: int | None, mtu: int) -> None:
    """VXLAN takes 50 bytes of each packet."""
    assert overlay_mtu(vswitch, wanted) == mtu


@pytest.mark.parametrize(("vswitch", "wanted"), [(1400, 1351), (1400, 1400), (1390, 1341)])
def test_a_private_lan_without_that_room_is_refused_with_the_most_that_fits(vswitch: int, wanted: int) -> None:
    """Its longest packets would be lost without a word."""
    with pytest.raises(ValueError, match=rf"mtu: {wanted} does not fit a vSwitch of {vswitch}: .* use {vswitch - 50}"):
        overlay_mtu(vswitch, wanted)
    with pytest.raises(ValidationError, match="mtu: 1400 does not fit"):
        private(mtu=1400)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (lan(2, name="lan-1"), "two private LANs are named 'lan-1'"),
        (lan(2, tag=10_001), "tag: 'lan-1' and 'lan-2' both have 10001"),
        (lan(2, cidr="192.168.1.128/25"), "cidr: 192.168.1.0/24 of 'lan-1' overlaps 192.168.1.128/25 of 'lan-2'"),
    ],
)
def test_private_lans_share_neither_name_nor_tag_nor_addresses(other: PrivateLan, problem: str) -> None:
    """Both are named."""
    check_lans([lan(1), lan(3)])
    with pytest.raises(ValueError, match=problem):
        check_lans([lan(1), lan(3), other])


@pytest.mark.parametrize("fields", [{"tag": 0}, {"tag": 2**24}, {"cidr": "192.168.1.7/24"}, {"name": "Lan 1"}])
def test_a_private_lan_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    """A tag has 24 bits; addresses are a network's."""
    with pytest.raises(ValidationError):
        lan(1, **fields)


@pytest.mark.parametrize("zone", ["customers", "l", "lan-1", "Lans", "1ans"])
def test_a_zone_s_name_is_what_proxmox_takes(zone: str) -> None:
    """Two to eight letters and digits, a letter first."""
    with pytest.raises(ValidationError, match="zone"):
        private(zone=zone)


@pytest.mark.parametrize("fields", [{"vlan": 3999}, {"vlan": 4092}, {"vlan": 4000, "mtu": 1401}])
def test_a_vswitch_has_hetzner_s_vlans_and_mtu(fields: dict[str, int]) -> None:
    """4000 to 4091, and 1400 bytes at most."""
    with pytest.raises(ValidationError):
        VSwitchLink.model_validate(fields)


@pytest.mark.parametrize("address", ["10.10.17.11", "10.10.16.0", "10.10.16.255"])
def test_a_node_s_address_is_a_host_s_of_the_private_network(address: str) -> None:
    """Neither another network's, nor the network or its broadcast."""
    private().check_node("game-1", IPv4Address("10.10.16.11"), NodeNetworkSpec())
    with pytest.raises(ValueError, match="node 'game-1': private_address"):
        private().check_node("game-1", IPv4Address(address), NodeNetworkSpec())


def test_a_node_that_was_awaited_is_no_other_peer() -> None:
    """What all nodes have as peers is the same before and after: nothing changes on those that are there."""
    there, new = [IPv4Address("10.10.16.12"), IPv4Address("10.10.16.11")], IPv4Address("10.10.16.13")
    network = private(awaited=[str(new)])
    assert network.peers(there) == network.peers([*there, new]) == ["10.10.16.11", "10.10.16.12", "10.10.16.13"]
    assert private().peers(there) == ["10.10.16.11", "10.10.16.12"]


@pytest.mark.parametrize(
    ("awaited", "problem"),
    [
        (["10.10.17.11"], "awaited: 10.10.17.11 is no host's address of 10.10.16.0/24"),
        (["10.10.16.255"], "awaited: 10.10.16.255 is no host's address"),
        (["10.10.16.13", "10.10.16.13"], "'awaited' names 10.10.16.13 twice"),
        ([f"10.10.16.{number}" for number in range(100, 117)], "at most 16 items"),
    ],
)
def test_what_no_node_could_have_is_not_awaited(awaited: list[str], problem: str) -> None:
    """Each is a host's address of the network, named once, and they are few."""
    with pytest.raises(ValidationError, match=problem):
        private(awaited=awaited)


def test_a_bridge_has_no_addresses_of_the_private_network() -> None:
    """The node would answer from the wrong side."""
    interfaces = NodeNetworkSpec.model_validate({"bridges": [{"name": "vmbr1", "address": "10.10.0.1/16"}]})
    with pytest.raises(ValueError, match=r"address of bridge 'vmbr1': 10\.10\.0\.1/16 overlaps"):
        private().check_node("game-1", IPv4Address("10.10.16.11"), interfaces)


@pytest.mark.parametrize(
    ("bridges", "problem"),
    [
        ([{"name": "vmbr0"}, {"name": "vmbr0"}], "two bridges are named 'vmbr0'"),
        (
            [{"name": "vmbr0", "ports": ["eno1"]}, {"name": "vmbr1", "ports": ["eno1"]}],
            "would be in the bridges",
        ),
        ([{"name": "vmbr0", "ports": ["eno1", "eno1"]}], "names an interface twice"),
        ([{"name": "vmbr0", "address": "192.0.2.10/24", "gateway": "198.51.100.1"}], "outside the network"),
        ([{"name": "vmbr0", "gateway": "192.0.2.1"}], "outside the network"),
        (
            [
                {"name": "vmbr0", "address": "192.0.2.10/24", "gateway": "192.0.2.1"},
                {"name": "vmbr1", "address": "198.51.100.2/24", "gateway": "198.51.100.1"},
            ],
            "a node has one",
        ),
        ([{"name": "bridge-of-mine"}], "name"),
    ],
)
def test_bridges_that_cannot_be_are_refused(bridges: list[dict[str, Any]], problem: str) -> None:
    """By what is wrong with them."""
    with pytest.raises(ValidationError, match=problem):
        NodeNetworkSpec.model_validate({"bridges": bridges})
