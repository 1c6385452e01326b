"""The rules for DNS records."""

from typing import Any

import pytest

from lab.cloudflare.errors import ApiError
from lab.cloudflare.records import Zone


@pytest.fixture
def zone() -> Zone:
    """An empty zone."""
    return Zone("z", "slipway.example", "a")


def address(name: str = "www", content: str = "203.0.113.1", **more: Any) -> dict[str, Any]:
    """The fields of an A record."""
    return {"type": "A", "name": name, "content": content, **more}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("www", "www.slipway.example"),
        ("WWW.Slipway.Example.", "www.slipway.example"),
        ("@", "slipway.example"),
        ("slipway.example", "slipway.example"),
        ("*.dev", "*.dev.slipway.example"),
        ("_minecraft._tcp.a", "_minecraft._tcp.a.slipway.example"),
    ],
)
def test_names_are_kept_in_full_and_in_lower_case(zone: Zone, given: str, kept: str) -> None:
    """The API appends the zone to names without it."""
    assert zone.create(address(given))["name"] == kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (address("a..b"), 9000),
        (address("a b"), 9000),
        (address("x" * 64), 9000),
        (address(""), 9000),
        (address(content="203.0.113.256"), 9005),
        (address(content="2001:db8::1"), 9005),
        ({"type": "AAAA", "name": "a", "content": "203.0.113.1"}, 9006),
        (address(ttl=59), 9021),
        (address(ttl=86401), 9021),
        ({"type": "LOC", "name": "a", "content": "x"}, 9000),
        ({"type": "TXT", "name": "a", "content": ""}, 9020),
        ({"type": "TXT", "name": "a", "content": "x", "proxied": True}, 9004),
        ({"type": "MX", "name": "a", "content": "mail.example"}, 9105),
    ],
)
def test_invalid_records_are_refused_with_the_api_s_code(zone: Zone, given: dict[str, Any], code: int) -> None:
    """Nothing invalid is kept."""
    with pytest.raises(ApiError) as caught:
        zone.create(given)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert list(zone.records()) == []


def test_an_identical_record_is_refused_and_another_address_is_not(zone: Zone) -> None:
    """A name may have several addresses, each once."""
    zone.create(address())
    zone.create(address(content="203.0.113.2"))
    with pytest.raises(ApiError) as caught:
        zone.create(address())
    assert caught.value.code == 81058


def test_a_cname_shares_its_name_with_no_address(zone: Zone) -> None:
    """Whichever comes second is refused."""
    zone.create(address("a"))
    zone.create({"type": "CNAME", "name": "b", "content": "a.slipway.example"})
    with pytest.raises(ApiError) as caught:
        zone.create({"type": "CNAME", "name": "a", "content": "b.slipway.example"})
    assert caught.value.code == 81053
    with pytest.raises(ApiError) as caught:
        zone.create(address("b"))
    assert caught.value.code == 81054


def test_a_change_keeps_what_it_does_not_name_and_a_replacement_does_not(zone: Zone) -> None:
    """PATCH and PUT differ in exactly this."""
    record = zone.create(address(ttl=60, comment="order 1"))
    changed = zone.change(record["id"], {"content": "203.0.113.9"})
    assert (changed["ttl"], changed["comment"], changed["content"]) == (60, "order 1", "203.0.113.9")
    replaced = zone.replace(record["id"], address())
    assert (replaced["ttl"], replaced["comment"], replaced["content"]) == (1, None, "203.0.113.1")
    assert replaced["created_on"] == record["created_on"]


def test_addresses_are_kept_in_their_shortest_form(zone: Zone) -> None:
    """The same IPv6 address written twice is the same record."""
    zone.create({"type": "AAAA", "name": "a", "content": "2001:0db8:0:0::1"})
    with pytest.raises(ApiError) as caught:
        zone.create({"type": "AAAA", "name": "a", "content": "2001:db8::1"})
    assert caught.value.code == 81058


def test_an_srv_record_s_content_comes_from_its_data(zone: Zone) -> None:
    """Structured records show their fields as one text."""
    data = {"priority": 0, "weight": 5, "port": 25565, "target": "a.slipway.example"}
    record = zone.create({"type": "SRV", "name": "_minecraft._tcp.a", "data": data})
    assert record["content"] == "0 5 25565 a.slipway.example"


def test_a_record_that_is_not_there_is_404(zone: Zone) -> None:
    """Every verb on one record answers the same."""
    for call in (zone.get, zone.delete, lambda number: zone.change(number, {})):
        with pytest.raises(ApiError) as caught:
            call("nope")
        assert (caught.value.status, caught.value.code) == (404, 81044)
