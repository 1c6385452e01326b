"""Public addresses."""

import pytest

from components.platform.public_addresses import first_address


@pytest.mark.parametrize(
    ("given", "answers"), [("192.0.2.7", "192.0.2.7"), ("2001:db8:1::", "2001:db8:1::1"), ("2001:db8::", "2001:db8::1")]
)
def test_a_name_is_given_to_the_address_that_answers(given: str, answers: str) -> None:
    """Hetzner gives IPv6 by the network, and names by the address."""
    assert first_address(given) == answers
