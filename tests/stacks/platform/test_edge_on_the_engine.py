"""The edge stack on the real engine, against the lab's Hetzner Cloud and Cloudflare."""

from typing import Any

import pytest
from pulumi import automation as auto

from tests.fakes.certificates import self_signed
from tests.fakes.cloudflare_server import TOKEN
from tests.fixtures.edge_estate import EdgeEstate, estate, lab_edge

__all__ = ["estate"]

pytestmark = pytest.mark.engine

NETWORK_ONLY = {"networks": ["lab"], "firewalls": ["bastion"], "ssh_keys": ["admin"]}


def test_the_labs_edge_comes_up_stays_the_same_and_goes(estate: EdgeEstate) -> None:
    """Nothing pending right after, nor after a look at what is really there; destroy leaves what was there before."""
    document = lab_edge()
    outputs = estate.up(document)
    assert estate.at_cloudflare() == {
        "zones": ["slipway.example"],
        "rulesets": ["http_ratelimit", "http_request_firewall_custom"],
        "tunnels": ["lab-api"],
    }
    there = estate.at_hetzner()
    assert there["servers"] == ["bastion-1"]
    assert (there["load_balancers"], there["certificates"]) == (["lab-api"], ["lab-api"])
    assert outputs["api_hostname"] == "api.slipway.example"
    assert outputs["zone_id"] == estate.zone_id()
    assert outputs["bastion"]["private_address"] == "10.10.1.2"
    assert f"Endpoint = {outputs['bastion']['ipv4']}:51820" in outputs["vpn_clients"]["ada"]
    told = outputs["inventory"]
    assert told["dns_zones"] == [
        {"name": "slipway.example", "provider_zone_id": estate.zone_id(), "holds_workloads": True}
    ]
    assert [(host["role"], host["address"]) for host in told["hosts"]] == [("bastion", "10.10.1.2")]
    assert estate.pending(document, refresh=False) == []
    assert estate.pending(document) == []
    estate.edge.refresh(program=estate.program(document), run_program=True)
    assert estate.pending(document) == []
    estate.edge.destroy(program=estate.program(document), run_program=True)
    assert estate.at_cloudflare() == {}
    assert estate.at_hetzner() == NETWORK_ONLY


def test_what_was_done_by_hand_is_seen_and_put_right(estate: EdgeEstate) -> None:
    """A record edited, a rule switched off, a rule added, a setting relaxed, a tunnel sent elsewhere."""
    document = lab_edge()
    outputs = estate.up(document)
    there: Any = estate.cloudflare
    zone = {"zone_id": estate.zone_id()}
    (api,) = there.dns.records.list(name={"exact": "api.slipway.example"}, **zone)
    there.dns.records.edit(api.id, content="elsewhere.example", type="CNAME", name=api.name, ttl=1, **zone)
    waf = there.rulesets.phases.get("http_request_firewall_custom", **zone)
    there.rulesets.rules.edit(waf.rules[0].id, ruleset_id=waf.id, enabled=False, **zone)
    rates = there.rulesets.phases.get("http_ratelimit", **zone)
    there.rulesets.update(rates.id, kind="zone", phase="http_ratelimit", name=rates.name, rules=[], **zone)
    there.zones.settings.edit("min_tls_version", value="1.0", **zone)
    tunnel = outputs["tunnel"]
    elsewhere = {"ingress": [{"service": "http://198.51.100.1"}]}
    there.zero_trust.tunnels.cloudflared.configurations.update(
        tunnel["id"], account_id=tunnel["account_id"], config=elsewhere
    )
    assert estate.pending(document) == [
        ("update", "DnsRecord"),
        ("update", "Ruleset"),
        ("update", "Ruleset"),
        ("update", "ZeroTrustTunnelCloudflaredConfig"),
        ("update", "ZoneSetting"),
    ]
    estate.edge.up(program=estate.program(document), refresh=True)
    assert estate.pending(document) == []
    assert there.rulesets.phases.get("http_request_firewall_custom", **zone).rules[0].enabled
    assert len(there.rulesets.phases.get("http_ratelimit", **zone).rules) == 3


def test_a_new_peer_and_a_closed_first_door_do_not_replace_the_bastion(estate: EdgeEstate) -> None:
    """The peer is in the outputs, from where it is brought to the running server; the first SSH rule goes."""
    document = lab_edge()
    document["bastion"]["ssh_from"] = ["192.0.2.0/24"]
    outputs = estate.up(document)
    assert estate.at_hetzner()["firewalls"] == ["bastion", "bastion-1-first-ssh"]
    peer = {"name": "cem", "public_key": "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA=", "address": "10.10.250.4"}
    document["bastion"]["vpn"]["peers"].append(peer)
    document["bastion"]["ssh_from"] = []
    assert estate.pending(document) == [("delete", "Firewall"), ("update", "Server")]
    changed = estate.up(document)
    assert changed["bastion"] == outputs["bastion"]
    assert "10.10.250.4/32" in changed["vpn_peers"]
    assert estate.at_hetzner()["firewalls"] == ["bastion"]
    assert estate.pending(document) == []


@pytest.mark.parametrize("kind", ["proxied", "pooled"])
def test_the_api_may_be_entered_by_the_balancers_public_address(estate: EdgeEstate, kind: str) -> None:
    """By a record, or by Cloudflare's own load balancing; either way nothing is pending after, and nothing stays."""
    document = lab_edge()
    document["balancer"]["is_public"] = True
    document["api"]["entry"] = {"kind": kind}
    outputs = estate.up(document)
    there: Any = estate.cloudflare
    names = there.dns.records.list(zone_id=estate.zone_id(), name={"exact": "api.slipway.example"})
    if kind == "proxied":
        assert [(item.content, item.proxied) for item in names] == [(outputs["load_balancer"]["ipv4"], True)]
    else:
        assert list(names) == []
        assert estate.at_cloudflare()["load_balancers"] == ["api.slipway.example"]
        (pool,) = there.load_balancers.pools.list(account_id=document["zone"]["account_id"])
        assert [origin.address for origin in pool.origins] == [outputs["load_balancer"]["ipv4"]]
        there.load_balancers.pools.edit(
            pool.id, account_id=document["zone"]["account_id"], origins=[{"name": "own", "address": "198.51.100.1"}]
        )
        assert estate.pending(document) == [("update", "LoadBalancerPool")]
        estate.edge.up(program=estate.program(document), refresh=True)
    assert estate.pending(document) == []
    estate.edge.destroy(program=estate.program(document), run_program=True)
    assert (estate.at_cloudflare(), estate.at_hetzner()) == ({}, NETWORK_ONLY)


def test_a_zone_that_was_there_stays(estate: EdgeEstate) -> None:
    """Named by its id, it is neither made nor taken away; what the stack made in it is."""
    zone = estate.cloudflare.zones.create(account={"id": lab_edge()["zone"]["account_id"]}, name="slipway.example")
    assert zone is not None
    document = lab_edge()
    document["zone"]["id"] = zone.id
    estate.up(document)
    assert estate.pending(document) == []
    estate.edge.destroy(program=estate.program(document), run_program=True)
    assert estate.at_cloudflare() == {"zones": ["slipway.example"]}
    assert list(estate.cloudflare.dns.records.list(zone_id=zone.id)) == []


def test_another_vpn_than_the_networks_is_refused(estate: EdgeEstate) -> None:
    """Before any bastion is made: the firewalls of all hosts are made from the network's plan."""
    document = lab_edge()
    document["bastion"]["vpn"]["port"] = 51821
    with pytest.raises(auto.CommandError, match=r"'bastion.vpn' is .*51821.* in the network stack: give both the same"):
        estate.up(document)
    assert "servers" not in estate.at_hetzner()


def test_no_secret_is_in_the_state(estate: EdgeEstate) -> None:
    """Neither Cloudflare's token, nor the tunnel's, nor any private key, a certificate's put there by hand included."""
    pem, key = self_signed("api.slipway.example")
    estate.hetzner.certificates.create("by-hand", certificate=pem, private_key=key)
    document = lab_edge()
    document["balancer"]["certificate"] = {"kind": "stored", "name": "by-hand"}
    outputs = estate.up(document)
    assert estate.pending(document) == []
    assert estate.at_hetzner()["certificates"] == ["by-hand"]
    there: Any = estate.cloudflare
    tunnel = outputs["tunnel"]
    token = there.zero_trust.tunnels.cloudflared.token.get(tunnel["id"], account_id=tunnel["account_id"])
    state = str(estate.edge.export_stack().deployment)
    assert TOKEN not in state
    assert token not in state
    assert estate.environment["HCLOUD_TOKEN"] not in state
    assert "PRIVATE KEY-----" not in state
    assert "wg genkey" in state
