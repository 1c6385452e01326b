"""How a BMC is reached: what its driver cannot use is refused, and no login is part of it."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from api.machines.models import BmcDriver
from components.specs.bmc import BmcDriverName, BmcSpec


def test_the_drivers_are_those_that_the_control_plane_has() -> None:
    """The two lists are on both sides of a line that no import crosses."""
    assert set(get_args(BmcDriverName)) == {driver.value for driver in BmcDriver}


@pytest.mark.parametrize(
    "given",
    [
        {"driver": "redfish", "address": "https://10.21.0.1", "system": "1"},
        {"driver": "ipmi", "address": "bmc-7.mgmt.example:623"},
        {"driver": "ipmi", "address": "[fd00::7]:623"},
        {"driver": "robot", "address": "https://robot-ws.your-server.de", "system": "321004"},
    ],
)
def test_what_a_driver_can_use_is_taken(given: dict[str, Any]) -> None:
    """Our user is ``slipway`` where nothing else is said."""
    assert BmcSpec.model_validate(given).user == "slipway"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"driver": "redfish", "address": "10.21.0.1"}, "'address' is an http or https address"),
        ({"driver": "redfish", "address": "https://root:calvin@10.21.0.1"}, "without a login in it"),
        ({"driver": "ipmi", "address": "https://10.21.0.1"}, "host, host:port"),
        ({"driver": "robot", "address": "https://robot.example", "system": "x"}, "'system' is the server's number"),
        ({"driver": "redfish", "address": "https://10.21.0.1", "password": "calvin"}, "Extra inputs"),
        ({"driver": "wake-on-lan", "address": "https://10.21.0.1"}, "Input should be"),
    ],
)
def test_what_it_cannot_use_is_refused(given: dict[str, Any], said: str) -> None:
    """With what it would have to be."""
    with pytest.raises(ValidationError, match=said):
        BmcSpec.model_validate(given)
