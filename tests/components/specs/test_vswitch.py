"""What a vSwitch may be."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.specs.vswitch import VSwitchSpec, check_vlans


def test_servers_are_a_set() -> None:
    """Their order means nothing; the engine's floats are numbers too."""
    document: dict[str, Any] = {"name": "lan", "vlan": 4000.0, "servers": [3.0, 1.0]}
    assert VSwitchSpec.model_validate(document) == VSwitchSpec(name="lan", vlan=4000, servers=(1, 3))


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("vlan", 3999, "greater than or equal to 4000"),
        ("vlan", 4092, "less than or equal to 4091"),
        ("vlan", 4000.5, "valid integer"),
        ("name", "", "match pattern"),
        ("name", "a\nb", "match pattern"),
        ("name", "x" * 65, "match pattern"),
        ("servers", [7, 7], "7 is there twice"),
        ("servers", [0], "greater than or equal to 1"),
        ("servers", list(range(1, 102)), "at most 100"),
        ("port", 1, "not permitted"),
    ],
)
def test_what_cannot_be_is_refused_by_field(field: str, value: object, complaint: str) -> None:
    """The error says which field and what would be right."""
    with pytest.raises(ValidationError, match=complaint) as caught:
        VSwitchSpec.model_validate({"name": "lan", "vlan": 4000, field: value})
    assert caught.value.errors()[0]["loc"][0] == field


def test_no_server_has_a_vlan_twice() -> None:
    """The error names both vSwitches; with different servers or VLANs all is well."""
    one = VSwitchSpec(name="one", vlan=4000, servers=(1, 2))
    check_vlans(
        [one, VSwitchSpec(name="two", vlan=4001, servers=(1, 2)), VSwitchSpec(name="x", vlan=4000, servers=(3,))]
    )
    with pytest.raises(ValueError, match="'one' and 'two' would both give server 2 the VLAN 4000"):
        check_vlans([one, VSwitchSpec(name="two", vlan=4000, servers=(2, 3))])


def test_no_two_vswitches_share_name_and_vlan() -> None:
    """Nothing else tells them apart after a crash."""
    with pytest.raises(ValueError, match="two vSwitches are named 'one' with VLAN 4000"):
        check_vlans([VSwitchSpec(name="one", vlan=4000)] * 2)


def test_a_server_is_on_five_vswitches_at_most() -> None:
    """Robot would refuse the sixth after the others were made."""
    six = [VSwitchSpec(name=f"lan-{index}", vlan=4000 + index, servers=(7,)) for index in range(6)]
    check_vlans(six[:5])
    with pytest.raises(ValueError, match="servers: server 7 would be on more than 5 vSwitches"):
        check_vlans(six)
