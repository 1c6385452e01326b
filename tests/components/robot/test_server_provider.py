"""The engine's view of a server's names."""

from typing import Any

import pytest
from pulumi.runtime import rpc

from components.robot.server_provider import RobotServerProvider

NODE: dict[str, Any] = {"number": 1.0, "name": "node-1", "rdns": {"198.18.0.2": "a.slipway.example"}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (False, [])),
        ({"number": 1}, (False, [])),
        ({"name": "node-2"}, (True, [])),
        ({"rdns": {}}, (True, [])),
        ({"rdns": {"198.18.0.2": rpc.UNKNOWN}}, (True, [])),
        ({"number": 2}, (True, ["number"])),
        ({"number": rpc.UNKNOWN}, (True, ["number"])),
    ],
)
def test_names_change_in_place_and_another_number_is_another_server(changes: dict[str, Any], expected: object) -> None:
    """So the names of the former server are removed."""
    answer = RobotServerProvider().diff("1", {**NODE, "product": "AX41"}, {**NODE, **changes})
    assert (answer.changes, answer.replaces) == expected


def test_what_is_wrong_is_told_by_property() -> None:
    """All of it at once."""
    checked = RobotServerProvider().check({}, {"number": 0, "name": "", "rdns": {"x": "y"}})
    assert {failure.property for failure in checked.failures} == {"number", "name", "rdns"}
