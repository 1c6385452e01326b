"""What an address plan may be; everything that can be known is known before anything exists."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.platform.network import NetworkSpec
from tests.fixtures.platform_stacks import lab_spec

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """The lab's plan."""
    return lab_spec("lab-network")


def problems(document: Document) -> dict[str, str]:
    """What is wrong with a plan, by place."""
    with pytest.raises(ValidationError) as caught:
        NetworkSpec.model_validate(document)
    return {".".join(map(str, item["loc"])): item["msg"] for item in caught.value.errors()}


def test_the_labs_plan_is_right(document: Document) -> None:
    """It is what the other tests break."""
    spec = NetworkSpec.model_validate(document)
    assert [subnet.name for subnet in spec.network.subnets] == ["control", "edge", "observability", "dedicated"]


def put(path: str, value: object) -> Callable[[Document], None]:
    """Write a value at a place such as ``network.subnets.0.cidr``; a place behind the end of a list is a new item."""

    def change(document: Document) -> None:
        *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
        node: Any = document
        for part in parents:
            node = node[part]
        if isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value

    return change


LAN = {"name": "lan-3", "tag": 10003, "cidr": "192.168.103.0/24", "vswitch": "lab-private"}
POOL = {"name": "fsn-v4-2", "site": "fsn", "family": 4, "cidr": "198.51.100.0/24", "gateway": "198.51.100.1"}
VSWITCH = {"name": "second", "vlan": 4001, "servers": [321002]}


@pytest.mark.parametrize(
    ("change", "place", "complaint"),
    [
        (
            put("network.subnets.1.cidr", "10.10.0.128/25"),
            "network.subnets.1.cidr",
            r"overlaps 10\.10\.0\.0/24 .*'control'",
        ),
        (put("vpn.cidr", "10.10.2.0/25"), "vpn.cidr", r"\(VPN\) overlaps 10\.10\.2\.0/24 \(subnet 'observability'\)"),
        (
            put("private_lans.2", {**LAN, "cidr": "192.168.0.0/16"}),
            "private_lans.0.cidr",
            r"overlaps 192\.168\.0\.0/16",
        ),
        (
            put("private_lans.2", {**LAN, "cidr": "10.10.99.0/24"}),
            "private_lans.2.cidr",
            r"overlaps .*\(network 'lab'\)",
        ),
        (
            put("address_pools.2", {**POOL, "cidr": "10.10.0.0/26", "gateway": "10.10.0.1"}),
            "address_pools.2.cidr",
            "overlaps",
        ),
        (
            put("address_pools.2", {**POOL, "cidr": "203.0.113.128/25", "gateway": "203.0.113.129"}),
            "address_pools.2.cidr",
            "fsn-v4-1",
        ),
        (put("address_pools.2", {**POOL, "gateway": "203.0.114.1"}), "address_pools.2.gateway", "neither in"),
        (
            put("address_pools.2", {**POOL, "site": "nbg"}),
            "address_pools.2.site",
            "there is no site 'nbg'; there are: fsn",
        ),
        (
            put("network.subnets.0.cidr", "10.11.0.0/24"),
            "network.subnets.0.cidr",
            r"outside the network's 10\.10\.0\.0/16",
        ),
        (put("network.subnets.0.cidr", "10.10.0.1/24"), "network.subnets.0.cidr", "not a valid IPv4 network"),
        (put("network.subnets.0.cidr", "10.10.0.0/31"), "network.subnets.0.cidr", "smaller than /30"),
        (put("network.cidr", "203.0.112.0/20"), "network.cidr", "RFC 1918"),
        (put("network.cidr", "10.10.0.0/25"), "network.cidr", "smaller than /24"),
        (
            put("network.subnets.3.vswitch", "lan"),
            "network.subnets.3.vswitch",
            "no vSwitch 'lan'; there are: lab-private",
        ),
        (put("network.subnets.2.vswitch", "lab-private"), "network.subnets.3.vswitch", "subnet 'observability' has"),
        (put("network.routes.0.gateway", "10.10.16.11"), "network.routes.0.gateway", "in no cloud subnet"),
        (
            put("network.routes.0.gateway", "10.10.200.1"),
            "network.routes.0.gateway",
            r"take a server's address of control",
        ),
        (put("network.routes.0.gateway", "10.10.0.1"), "network.routes.0.gateway", "the network's own gateway"),
        (put("network.routes.0.destination", "10.10.2.0/25"), "network.routes.0.destination", "overlaps subnet"),
        (
            put("network.routes.0.destination", "0.0.0.0/0"),
            "network.routes.1.destination",
            "a route to 0.0.0.0/0 already",
        ),
        (put("vswitches.0.vlan", 3999), "vswitches.0.vlan", "greater than or equal to 4000"),
        (put("vswitches.0.vlan", 4092), "vswitches.0.vlan", "less than or equal to 4091"),
        (put("vswitches.0.mtu", 1500), "vswitches.0.mtu", "less than or equal to 1400"),
        (put("vswitches.0.mtu", 1300), "vswitches.0.mtu", "greater than or equal to 1330"),
        (put("vswitches.0.servers", list(range(1, 102))), "vswitches.0.servers", "at most 100 items"),
        (put("vswitches.1", {**VSWITCH, "vlan": 4000}), "vswitches.1.vlan", "server 321002 the VLAN 4000"),
        (put("vswitches.1", {**VSWITCH, "name": "lan-1"}), "private_lans.0.name", "another network named 'lan-1'"),
        (put("private_lans.1.tag", 10001), "private_lans.1.tag", "the tag of 'lan-1'"),
        (put("private_lans.1.vswitch", "lan"), "private_lans.1.vswitch", "no vSwitch 'lan'"),
        (put("firewalls.1.name", "control"), "firewalls.1.name", "another firewall named 'control'"),
        (put("firewalls.2.rules.0.ports", "70000"), "firewalls.2.rules.0.ports", "neither a port, nor a range"),
        (put("firewalls.2.rules.0.ports", "90-80"), "firewalls.2.rules.0.ports", "neither a port, nor a range"),
        (put("firewalls.2.rules.1.ports", "80"), "firewalls.2.rules.1.ports", "TCP and UDP need 'ports'"),
        (put("firewalls.2.rules.0.sources", []), "firewalls.2.rules.0.sources", "at least 1 item"),
        (put("ssh_keys.0.public_key", "-----BEGIN OPENSSH PRIVATE KEY-----"), "ssh_keys.0.public_key", "match pattern"),
        (put("sites.1", {"slug": "fsn", "name": "x", "nameservers": ["192.0.2.1"]}), "sites.1.slug", "another site"),
        (put("networks", []), "networks", "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(
    document: Document, change: Callable[[Document], None], place: str, complaint: str
) -> None:
    """The place is the key as it is written, and the sentence says what is wrong."""
    change(document)
    found = problems(document)
    assert place in found, found
    assert re.search(complaint, found[place]), found


def test_all_problems_are_told_at_once(document: Document) -> None:
    """Whoever has made three mistakes corrects them in one go."""
    put("private_lans.1.tag", 10001)(document)
    put("network.routes.0.gateway", "10.10.16.11")(document)
    put("firewalls.1.name", "control")(document)
    assert set(problems(document)) == {"private_lans.1.tag", "network.routes.0.gateway", "firewalls.1.name"}


def test_a_server_is_on_no_sixth_vswitch(document: Document) -> None:
    """Robot would refuse it after the others were made."""
    document["vswitches"] += [{"name": f"more-{vlan}", "vlan": vlan, "servers": [321001]} for vlan in range(4001, 4006)]
    assert "more than 5 vSwitches" in problems(document)["vswitches.5.servers"]


def test_a_key_is_there_once_whatever_its_comment(document: Document) -> None:
    """Hetzner tells keys apart by themselves."""
    key = document["ssh_keys"][0]
    document["ssh_keys"].append({"name": "again", "public_key": key["public_key"].replace("admin@", "other@")})
    assert problems(document)["ssh_keys.1.public_key"] == "is the key of 'lab-admin' too: name it once"
