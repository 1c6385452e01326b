"""What may be said about a dedicated server."""

import pytest
from pydantic import ValidationError

from components.specs.robot_server import RobotServerSpec


def test_addresses_are_kept_in_their_shortest_form() -> None:
    """As Robot answers them, so that nothing looks changed."""
    spec = RobotServerSpec(number=1, name="node-1", rdns={"2001:0db8:0::1": "a.slipway.example"})
    assert dict(spec.rdns) == {"2001:db8::1": "a.slipway.example"}


@pytest.mark.parametrize(
    ("address", "name", "complaint"),
    [
        ("198.18.0.0/24", "a.slipway.example", "is not an IP address; of a subnet, give each address"),
        ("198.18.0.2", "slipway", "match pattern"),
        ("198.18.0.2", "A.slipway.example", "match pattern"),
        ("198.18.0.2", "a.slipway.example.", "match pattern"),
        ("198.18.0.2", f"{'a' * 64}.slipway.example", "match pattern"),
    ],
)
def test_what_robot_would_refuse_is_refused(address: str, name: str, complaint: str) -> None:
    """Before anything is written."""
    with pytest.raises(ValidationError, match=complaint):
        RobotServerSpec(number=1, name="node-1", rdns={address: name})
