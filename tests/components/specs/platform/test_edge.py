"""What an edge may be configured with."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.platform.edge import EdgeSpec
from tests.fixtures.edge_estate import lab_edge

KEY = "gN65BkIKy1eCE9pP1wdc8ROUtkHLF2PfAqYdyYBz6EA="
Change = Callable[[dict[str, Any]], Any]


def peer(**more: Any) -> dict[str, Any]:
    """A good peer, but for what is said."""
    return {"name": "cem", "public_key": KEY, "address": "10.10.250.4", **more}


def with_peer(**more: Any) -> Change:
    """One peer more."""
    return lambda document: document["bastion"]["vpn"]["peers"].append(peer(**more))


def test_the_labs_edge_is_right() -> None:
    """Its name of the API is in its zone."""
    spec = EdgeSpec.model_validate(lab_edge())
    assert spec.api_hostname == "api.slipway.example"
    assert str(spec.bastion.vpn.server_address) == "10.10.250.1"
    assert spec.zone.settings == {"always_use_https": "on", "min_tls_version": "1.2", "ssl": "strict"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_peer(public_key="short"), "is no WireGuard public key"),
        (with_peer(public_key=KEY[:-1]), "is no WireGuard public key"),
        (with_peer(public_key="xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="), "two have the public_key"),
        (with_peer(name="ada"), "two have the name 'ada'"),
        (with_peer(address="10.10.250.2"), "two have the address '10.10.250.2'"),
        (with_peer(address="10.10.1.9"), "give it one of 10.10.250.0/24"),
        (with_peer(address="10.10.250.1"), "the bastion's own 10.10.250.1"),
        (with_peer(address="10.10.250.255"), "but not the first, the last"),
        (lambda d: d["bastion"]["vpn"].update(cidr="10.10.250.0/31", peers=[]), "has no room for a peer"),
        (lambda d: d["bastion"]["vpn"].update(routes=[]), "at least 1 item"),
        (lambda d: d["bastion"]["server"].update(has_public_ipv4=False), "admins reach the VPN by it"),
        (lambda d: d["bastion"].update(ssh_from=["0.0.0.0/0"]), "0.0.0.0/0 is everybody"),
        (lambda d: d["balancer"].update(private_address="10.10.1.2"), "are both 10.10.1.2"),
        (lambda d: d["balancer"].update(servers=[1]), "give either 'selector' or 'servers'"),
        (lambda d: d["balancer"].update(selector=None, servers=[1, 1]), "1 is there twice"),
        (lambda d: d["balancer"].update(selector="role = api"), "is no label selector"),
        (lambda d: d.update(balancer=None), "leads nowhere: give a 'balancer'"),
        (lambda d: d["api"].update(entry={"kind": "proxied"}), "give 'balancer.is_public: true'"),
        (lambda d: d["api"].update(entry={"kind": "pigeon"}), "does not match any of the expected tags"),
        (lambda d: d["records"].append({"name": "api", "type": "A", "content": "192.0.2.1"}), "is the API's own"),
        (lambda d: d["records"].append(d["records"][0]), "is there twice"),
        (lambda d: d["records"].append({"name": "x", "type": "A", "content": "::1"}), "is no IPv4 address"),
        (lambda d: d["records"].append({"name": "x", "type": "TXT", "content": "a", "proxied": True}), "cannot be"),
        (lambda d: d["records"].append({"name": "x", "type": "MX", "content": "a.example"}), "MX records, which need"),
        (lambda d: d["records"][0].update(proxied=True), "give 1 (automatic, as proxied records must have)"),
        (lambda d: d["rate_limits"].append(d["rate_limits"][0]), "two have the name 'login'"),
        (lambda d: d["rate_limits"][0].update(period=61), "Input should be 10, 60"),
        (lambda d: d["waf"].update(blocked=["admin"]), "String should match pattern"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(change: Change, message: str) -> None:
    """Before anything is made."""
    document = lab_edge()
    document.setdefault("waf", {})
    change(document)
    with pytest.raises(ValidationError) as caught:
        EdgeSpec.model_validate(document)
    assert message in str(caught.value)


def test_a_pooled_entry_needs_no_balancer_if_it_has_origins() -> None:
    """The API may be somewhere else."""
    document = lab_edge()
    document["balancer"] = None
    document["api"]["entry"] = {"kind": "pooled", "origins": [{"name": "other", "address": "192.0.2.1"}]}
    assert EdgeSpec.model_validate(document).balancer is None
