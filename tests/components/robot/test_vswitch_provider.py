"""The engine's view of a vSwitch."""

from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc

from components.robot.vswitch_provider import VSwitchProvider

LAN: dict[str, Any] = {"name": "lan", "vlan": 4000.0, "servers": [2.0, 1.0]}


def test_inputs_are_put_into_one_form() -> None:
    """The engine's floats become numbers, servers a sorted list."""
    checked = VSwitchProvider().check({}, {**LAN, "__provider": "x"})
    assert (checked.inputs, checked.failures) == ({"name": "lan", "vlan": 4000, "servers": [1, 2]}, [])


def test_what_is_wrong_is_told_by_property() -> None:
    """All of it at once."""
    checked = VSwitchProvider().check({}, {"name": "", "vlan": 1, "servers": [0]})
    assert [failure.property for failure in checked.failures] == ["name", "vlan", "servers"]


@pytest.mark.parametrize("servers", [rpc.UNKNOWN, [1, rpc.UNKNOWN]])
def test_what_is_not_known_yet_is_no_failure(servers: object) -> None:
    """A server that the same run orders has no number in a preview; the rest is checked all the same."""
    provider = VSwitchProvider()
    assert provider.check({}, {**LAN, "servers": servers}).failures == []
    assert provider.check({}, {**LAN, "servers": servers}).inputs["servers"] == servers
    assert [item.property for item in provider.check({}, {**LAN, "vlan": 1, "servers": servers}).failures] == ["vlan"]
    assert provider.diff("1", LAN, {**LAN, "servers": servers}).changes is True


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"servers": [1, 2]}, False),
        ({"servers": [1]}, True),
        ({"vlan": 4001}, True),
        ({"name": "x"}, True),
    ],
)
def test_every_change_is_made_in_place(changes: dict[str, Any], expected: object) -> None:
    """A vSwitch is never replaced; the order of servers is no change."""
    answer = VSwitchProvider().diff("1", {**LAN, "subnets": [], "vswitch_id": 1.0}, {**LAN, **changes})
    assert (answer.changes, answer.replaces) == (expected, [])


def test_the_state_names_the_class_and_holds_nothing_else() -> None:
    """Pickled by reference: the code that runs is always the installed one."""
    assert len(serialize_provider(VSwitchProvider())) < 200
