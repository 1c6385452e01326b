"""Whose is a thing at Hetzner Cloud? Asked at the lab."""

import pytest
from hcloud.networks.domain import NetworkSubnet

from automation.engine.cloud_lookups import cloud_lookup, judge_labels
from automation.engine.identity import Presence
from lab.client import RunningLab

LABELS = {"managed-by": "slipway", "estate": "lab"}
NETWORK, SUBNET = "hcloud:index/network:Network", "hcloud:index/networkSubnet:NetworkSubnet"


def _environment(lab: RunningLab) -> dict[str, str]:
    section = lab.document.hcloud
    return {"HCLOUD_TOKEN": section.tokens["slipway"], "HCLOUD_ENDPOINT": section.base_url}


def test_a_thing_is_found_by_name_and_ours_by_its_labels(lab: RunningLab) -> None:
    """Absent, ours, or somebody else's who happened to use the name."""
    lookup = cloud_lookup(NETWORK, _environment(lab))
    assert lookup is not None
    wanted = {"name": "lab", "labels": LABELS}
    assert lookup.find(wanted).presence is Presence.ABSENT
    made = lab.truth.hcloud.networks.create(name="lab", ip_range="10.10.0.0/16", labels={**LABELS, "more": "yes"})

    assert lookup.find(wanted).import_id == str(made.id)
    assert lookup.find(wanted).presence is Presence.OURS
    assert lookup.find({**wanted, "labels": {"estate": "prod"}}).presence is Presence.FOREIGN


def test_a_subnet_belongs_to_whoever_owns_its_network(lab: RunningLab) -> None:
    """It has no name: the network's number and the range are its identity."""
    network = lab.truth.hcloud.networks.create(name="lab", ip_range="10.10.0.0/16", labels=LABELS)
    lookup = cloud_lookup(SUBNET, _environment(lab))
    assert lookup is not None
    inputs = {"networkId": float(network.id), "ipRange": "10.10.1.0/24"}
    assert lookup.find(inputs).presence is Presence.ABSENT
    network.add_subnet(NetworkSubnet(ip_range="10.10.1.0/24", type="cloud", network_zone="eu-central"))

    assert lookup.find(inputs).import_id == f"{network.id}-10.10.1.0/24"
    assert lookup.find({**inputs, "networkId": 1.0}).presence is Presence.ABSENT


@pytest.mark.parametrize("kind", ["hcloud:index/loadBalancerTarget:LoadBalancerTarget", "cloudflare:index/zone:Zone"])
def test_what_has_no_identity_of_its_own_is_for_a_person(kind: str) -> None:
    """No guess is made."""
    assert cloud_lookup(kind, {}) is None


def test_a_create_without_labels_proves_nothing() -> None:
    """A name alone could be anybody's."""
    assert judge_labels({"labels": {}}, {"name": "lab"}) is Presence.FOREIGN
