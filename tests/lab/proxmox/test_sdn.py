"""Software-defined networks of a node: what is written, what runs, and what is refused."""

from typing import TYPE_CHECKING, Any

import pytest
from proxmoxer import ResourceException

if TYPE_CHECKING:
    from lab.client import RunningLab

PEERS = "10.10.16.11,10.10.16.12"


@pytest.fixture
def sdn(lab: "RunningLab") -> Any:
    """A node's networks with one zone that is not applied yet."""
    api = lab.truth.node("game-1").cluster.sdn
    api.zones.post(zone="lans", type="vxlan", peers=PEERS, mtu=1350)
    return api


def test_what_is_written_runs_once_it_is_applied(sdn: Any) -> None:
    """Until then the difference is shown, for a new object, a changed one and a removed one."""
    (zone,) = sdn.zones.get(pending=1)
    assert (zone["state"], zone["pending"]["mtu"]) == ("new", 1350)
    assert sdn.zones.get(running=1) == []
    sdn.put()
    assert sdn.zones("lans").get(running=1)["peers"] == PEERS
    assert "state" not in sdn.zones("lans").get(pending=1)
    sdn.zones("lans").put(mtu=1300)
    changed = sdn.zones("lans").get(pending=1)
    assert (changed["state"], changed["mtu"], changed["pending"]) == ("changed", 1350, {"mtu": 1300})
    sdn.zones("lans").delete()
    (gone,) = sdn.zones.get(pending=1)
    assert gone["state"] == "deleted"
    sdn.put()
    assert sdn.zones.get(pending=1) == []


def test_vnets_and_subnets_hold_on_to_what_they_are_in(sdn: Any) -> None:
    """A zone with vnets stays, a vnet with subnets stays."""
    sdn.vnets.post(vnet="v10001", zone="lans", tag=10001, alias="lan-1")
    sdn.vnets("v10001").subnets.post(subnet="192.168.101.0/24", type="subnet")
    assert [item["subnet"] for item in sdn.vnets("v10001").subnets.get()] == ["lans-192.168.101.0-24"]
    with pytest.raises(ResourceException, match="zone lans is used by vnet v10001"):
        sdn.zones("lans").delete()
    with pytest.raises(ResourceException, match="Can't delete vnet if subnets exists"):
        sdn.vnets("v10001").delete()
    sdn.vnets("v10001").subnets("lans-192.168.101.0-24").delete()
    sdn.vnets("v10001").delete()
    sdn.zones("lans").delete()
    assert sdn.vnets.get() == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"vnet": "v2", "zone": "lans"}, "missing vxlan tag"),
        ({"vnet": "v2", "zone": "lans", "tag": 10001}, "vxlan tag 10001 already exist in vnet v10001"),
        ({"vnet": "v2", "zone": "other", "tag": 10002}, "zone 'other' does not exist"),
        ({"vnet": "v10001", "zone": "lans", "tag": 10002}, "already defined"),
        ({"vnet": "customers", "zone": "lans", "tag": 10002}, "vnet"),
    ],
)
def test_a_vnet_that_proxmox_refuses_is_refused(sdn: Any, fields: dict[str, Any], problem: str) -> None:
    """By its tag, its zone or its name."""
    sdn.vnets.post(vnet="v10001", zone="lans", tag=10001)
    with pytest.raises(ResourceException, match=problem):
        sdn.vnets.post(**fields)


def test_a_zone_needs_peers_and_a_name_of_its_own(sdn: Any) -> None:
    """And what is not there says so, in words that the provider knows."""
    with pytest.raises(ResourceException, match="peers / fabric"):
        sdn.zones.post(zone="other", type="vxlan")
    with pytest.raises(ResourceException, match="'lans' already defined"):
        sdn.zones.post(zone="lans", type="vxlan", peers=PEERS)
    with pytest.raises(ResourceException, match=r"500 .*sdn 'nowhere' does not exist"):
        sdn.zones("nowhere").get()
