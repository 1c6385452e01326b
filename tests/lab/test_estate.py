"""The lab's estate as data."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.estate import (
    TEST_NETS,
    Node,
    WorkloadClass,
    address_pools,
    estate_document,
    ipv4_subnets,
    node_entry,
    parse_nodes,
)


@given(st.integers(min_value=1, max_value=741))
def test_subnets_hold_exactly_the_guests_asked_for(size: int) -> None:
    """Every size comes out exact, in disjoint subnets of the documentation ranges."""
    subnets = ipv4_subnets(size)
    parents = [ipaddress.IPv4Network(text) for text in TEST_NETS]
    assert sum(subnet.num_addresses - 3 for subnet in subnets) == size
    assert all(any(subnet.subnet_of(parent) for parent in parents) for subnet in subnets)
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a != b)


@pytest.mark.parametrize("size", [-1, 0, 760])
def test_a_pool_beyond_the_documentation_ranges_is_refused_by_name(size: int) -> None:
    """The error names the option and the sizes that are possible."""
    with pytest.raises(ValueError, match=r"pool-size: .*1 to 759"):
        ipv4_subnets(size)


def test_a_pool_that_does_not_pack_is_refused() -> None:
    """Near the ranges' end some sizes do not fit; that is said rather than rounded."""
    with pytest.raises(ValueError, match="pool-size: 758 does not pack"):
        ipv4_subnets(758)


def test_each_subnet_is_a_pool_with_its_first_host_as_gateway() -> None:
    """The pools' gateways are inside their subnets; IPv6 is one /48 with a link-local gateway."""
    pools = address_pools(10)
    assert [pool["cidr"] for pool in pools] == ["203.0.113.0/29", "203.0.113.8/29", "2001:db8:1000::/48"]
    assert [pool["gateway"] for pool in pools] == ["203.0.113.1", "203.0.113.9", "fe80::1"]
    assert len({pool["name"] for pool in pools}) == 3


def test_nodes_are_named_by_class_and_number() -> None:
    """The text form gives so many nodes of each class."""
    assert [node.name for node in parse_nodes("game=2, cloud=1")] == ["game-1", "game-2", "cloud-1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("vps=1", "unknown class 'vps'"),
        ("game=0", "'game=0' needs a number"),
        ("game=-1", "'game=-1' needs a number"),
        ("game", "'game' needs a number"),
        ("game=51", "'game=51' needs a number"),
        ("game=1,game=2", "'game' is given twice"),
        ("", "at least one node"),
    ],
)
def test_unreadable_nodes_are_refused_by_name(text: str, complaint: str) -> None:
    """The error names the option, the bad part and what would be right."""
    with pytest.raises(ValueError, match=f"nodes: .*{complaint}|nodes: {complaint}"):
        parse_nodes(text)


def test_vm_nodes_carry_vm_templates_and_container_nodes_volumes() -> None:
    """A template's source is a VMID on cloud nodes and a volume id on the others."""
    for kind in WorkloadClass:
        templates = Node("x-1", kind).templates
        assert len(templates) == 2
        assert all(item.is_virtual_machine == (kind is WorkloadClass.CLOUD) for item in templates)
        assert all(item.is_virtual_machine or item.source.startswith("local:vztmpl/") for item in templates)


def test_the_estate_document_has_the_inventory_s_shape() -> None:
    """The document has the keys that Slipway's inventory import reads."""
    entry = node_entry(Node("game-1", WorkloadClass.GAME), "https://127.0.0.1:1", "a@pve!b=c")
    document = estate_document([entry], 250, "zone")
    assert set(document) == {"sites", "nodes", "address_pools", "dns_zones"}
    assert document["dns_zones"] == [{"name": "slipway.example", "provider_zone_id": "zone"}]
    assert entry["workload_class"] == "game"
    assert entry["cpu_overcommit"] == 4.0
    assert entry["templates"][0] == {
        "template": "minecraft-java",
        "version": "1.21",
        "source": "local:vztmpl/minecraft-java-1.21_amd64.tar.zst",
    }
