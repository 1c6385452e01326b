"""Tags of a VLAN."""

import pytest

from lab.metal.vlan import tagged, untagged

FRAME = bytes(range(12)) + b"\x08\x00" + b"what is carried"


def test_a_tag_is_put_on_and_taken_off() -> None:
    """As IEEE 802.1Q has it: after both addresses."""
    assert tagged(FRAME, 4001)[12:16] == b"\x81\x00\x0f\xa1"
    assert untagged(tagged(FRAME, 4001), 4001) == FRAME


@pytest.mark.parametrize("frame", [FRAME, tagged(FRAME, 4002)])
def test_what_is_not_of_this_vlan_does_not_leave_it(frame: bytes) -> None:
    """Untagged, or another's."""
    assert untagged(frame, 4001) is None
