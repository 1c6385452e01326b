"""The facts that a stack's configuration gives."""

import ipaddress
import json

import pytest

from components.policy.context import NodeFacts, Room
from stacks.policy.facts import BadConfiguration, context_of
from tests.factories.plans import NOW
from tests.fakes.workload_specs import ORDER_ID, bare_metal, bot

NODE = {"name": "pve-bot-1", "class": "bot"}
ROOM = {"cores": 4, "memory_mib": 4096, "disk_gib": 40}


def test_a_spec_says_what_was_reserved() -> None:
    """What the program needs anyway is half of the facts."""
    context = context_of({"slipway:spec": bot().model_dump_json()}, NOW)

    assert (context.kind, context.order_id, context.vmid) == ("bot", ORDER_ID, 401)
    assert context.fqdn == "herald.play.example"
    assert context.held == Room(1, 512, 4)
    assert context.addresses == (
        ipaddress.ip_network("203.0.113.25/32"),
        ipaddress.ip_network("2001:db8:0:19::/64"),
    )
    assert (context.pools, context.node, context.price_after_cents) == (None, None, None)


def test_a_machine_of_ones_own_has_no_vmid() -> None:
    """But the hardware that is held."""
    context = context_of({"slipway:spec": bare_metal().model_dump_json()}, NOW)

    assert (context.machine, context.vmid, context.node) == (bare_metal().machine, None, None)


def test_pools_and_node_are_optional() -> None:
    """A node may come with its room or without."""
    configuration = {"slipway:pools": '["203.0.113.0/24"]', "slipway:node": json.dumps(NODE)}
    full = {**configuration, "slipway:node": json.dumps({**NODE, "total": ROOM, "used": ROOM})}

    assert context_of(configuration, NOW).pools == (ipaddress.ip_network("203.0.113.0/24"),)
    assert context_of(configuration, NOW).node == NodeFacts("pve-bot-1", "bot")
    assert context_of(full, NOW).node == NodeFacts("pve-bot-1", "bot", Room(4, 4096, 40), Room(4, 4096, 40))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("slipway:spec", "{", "'slipway:spec' is not JSON"),
        ("slipway:spec", '{"kind": "castle"}', "'slipway:spec' is wrong"),
        ("slipway:pools", '["300.0.0.0/8"]', "it should be a list of networks"),
        ("slipway:node", '{"name": "pve"}', "class: Field required"),
        ("slipway:node", json.dumps({**NODE, "total": {"cores": 1}}), "total.memory_mib"),
    ],
)
def test_a_wrong_value_is_named(key: str, value: str, words: str) -> None:
    """Together with what it should be."""
    with pytest.raises(BadConfiguration, match=words):
        context_of({key: value}, NOW)
