"""Names, keys and derived addresses."""

import ipaddress

import pytest

from components.specs import link_local_address, mac_address


class TestLinkLocalAddress:
    @pytest.mark.parametrize(
        ("mac", "address"),
        [
            ("02:53:00:00:00:C9", "fe80::53:ff:fe00:c9"),
            ("34:56:78:9A:BC:DE", "fe80::3656:78ff:fe9a:bcde"),  # RFC 2464, section 4, flips this bit
        ],
    )
    def test_it_is_the_modified_eui_64_of_the_mac(self, mac: str, address: str) -> None:
        """RFC 4291, appendix A: ff:fe in the middle, the universal/local bit flipped."""
        assert link_local_address(mac) == ipaddress.IPv6Address(address)

    def test_guests_never_share_one(self) -> None:
        """MAC addresses come from VMIDs, and VMIDs are unique."""
        assert link_local_address(mac_address(100)) != link_local_address(mac_address(101))
