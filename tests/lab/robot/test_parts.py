"""The rules for servers, addresses, firewalls, keys and orders."""

from collections.abc import Callable
from typing import Any

import pytest

from lab.robot.addresses import Addresses
from lab.robot.errors import ApiError
from lab.robot.firewalls import MOST_RULES, Firewalls
from lab.robot.keys import Keys
from lab.robot.orders import Orders
from lab.robot.servers import Servers
from lab.robot.world import World

ONE = "321001"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB ops"


@pytest.fixture
def now() -> list[float]:
    """The time, for a test to change."""
    return [1_800_000_000.0]


@pytest.fixture
def world(now: list[float]) -> World:
    """Two servers, and a network that takes ten seconds."""
    world = World(lambda: now[0], switching=10)
    world.clear(["one", "two"])
    return world


def code_of(call: Callable[..., Any], *arguments: Any, **more: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ApiError) as caught:
        call(*arguments, **more)
    return caught.value.code


def test_a_firewall_takes_its_time_and_few_rules(world: World, now: list[float]) -> None:
    """One update after the other; a template's rules can be applied by its number."""
    firewalls = Firewalls(world)
    rule = {"name": "ssh", "action": "accept", "protocol": "tcp", "dst_port": "22", "ip_version": "ipv4"}
    template = firewalls.add_template({"name": "nodes", "rules": {"input": [rule]}})["firewall_template"]
    firewalls.apply(ONE, {"status": "active", "template_id": str(template["id"])})
    assert firewalls.get(ONE)["firewall"]["status"] == "in process"
    assert code_of(firewalls.apply, ONE, {"status": "disabled"}) == "FIREWALL_IN_PROCESS"
    now[0] += 10
    shown = firewalls.get(ONE)["firewall"]
    assert (shown["status"], shown["rules"]["input"][0]["dst_port"]) == ("active", "22")
    many = {"rules": {"input": [rule] * (MOST_RULES + 1)}}
    assert code_of(firewalls.apply, ONE, many) == "FIREWALL_RULE_LIMIT_EXCEEDED"
    assert code_of(firewalls.apply, ONE, {"rules": {"input": [{**rule, "action": "?"}]}}) == "INVALID_INPUT"
    firewalls.remove_template(str(template["id"]))
    assert firewalls.templates() == []


def test_a_name_is_written_for_our_addresses_only(world: World) -> None:
    """Of a subnet every address; the name must be one."""
    addresses = Addresses(world)
    network = world.servers[int(ONE)]["server_ipv6_net"]
    assert addresses.set_name(f"{network}2", {"ptr": "a.slipway.example"}, new=True)[1] is True
    assert code_of(addresses.set_name, "192.0.2.1", {"ptr": "a.slipway.example"}, new=False) == "IP_NOT_FOUND"
    assert code_of(addresses.set_name, f"{network}2", {"ptr": "no name"}, new=False) == "INVALID_INPUT"
    assert len(addresses.names(ONE)) == 1
    assert code_of(addresses.names, "321002") == "NOT_FOUND"


def test_a_key_is_kept_once_and_lets_its_owner_in(world: World) -> None:
    """With a key there is no password."""
    keys, servers = Keys(world), Servers(world)
    fingerprint = keys.add({"name": "ops", "data": KEY})["key"]["fingerprint"]
    assert code_of(keys.add, {"name": "again", "data": KEY}) == "KEY_ALREADY_EXISTS"
    assert code_of(keys.add, {"name": "bad", "data": "ssh-ed25519 ???"}) == "INVALID_INPUT"
    rescue = servers.activate(ONE, "rescue", {"os": "linux", "authorized_key": [fingerprint]})["rescue"]
    assert (rescue["password"], rescue["authorized_key"][0]["key"]["name"]) == (None, "ops")
    assert code_of(servers.activate, ONE, "rescue", {"os": "plan9"}) == "INVALID_INPUT"


def test_a_cancelled_server_is_not_cancelled_twice(world: World) -> None:
    """Nor kept when it was not cancelled."""
    servers = Servers(world)
    assert code_of(servers.keep, ONE) == "CONFLICT"
    servers.cancel(ONE, {"cancellation_date": "now"})
    assert code_of(servers.cancel, ONE, {"cancellation_date": "now"}) == "CONFLICT"


@pytest.mark.parametrize(("shop", "product"), [("server", "AX41-NVMe"), ("server_market", "282323")])
def test_an_order_becomes_a_server_and_a_test_does_not(world: World, now: list[float], shop: str, product: str) -> None:
    """Without ``test=true`` it costs money, so the difference is kept exact."""
    orders = Orders(world)
    wish = {"product_id": product, "password": "made up"}
    orders.order(shop, {**wish, "test": "true"})
    now[0] += 10
    assert code_of(orders.transactions, shop) == "NOT_FOUND"
    assert len(world.servers) == 2
    number = orders.order(shop, wish)["transaction"]["id"]
    now[0] += 10
    placed = orders.transaction(shop, number)["transaction"]
    assert (placed["status"], placed["server_number"] in world.servers) == ("ready", True)
    assert code_of(orders.order, shop, {"product_id": "?", "password": "x"}) == "INVALID_INPUT"
    assert code_of(orders.order, shop, {"product_id": product}) == "INVALID_INPUT"


def test_the_account_is_as_it_was_after_remembering(world: World) -> None:
    """What one run keeps is what the next one has."""
    world.rdns["198.18.0.2"] = "a.slipway.example"
    other = World(world.clock)
    other.remember(world.remembered())
    assert other.remembered() == world.remembered()
    assert Addresses(other).name("198.18.0.2")["rdns"]["ptr"] == "a.slipway.example"


def test_a_new_node_gets_a_server_and_a_renamed_one_no_second(world: World) -> None:
    """When a lab starts again with more nodes."""
    Servers(world).rename(ONE, {"server_name": "renamed"})
    world.seed(["one", "two", "three"])
    assert [server["server_name"] for server in world.servers.values()] == ["renamed", "two", "three"]
