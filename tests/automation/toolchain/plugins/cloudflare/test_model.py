"""What can be said about an object without asking Cloudflare."""

from typing import Any

import pytest

from automation.toolchain.plugins.cloudflare.model import UNKNOWN
from automation.toolchain.plugins.cloudflare.resources import DNS_RECORD, ZONE

RECORD: dict[str, Any] = {"zoneId": "z", "name": "www", "type": "A", "content": "203.0.113.1", "ttl": 300.0}


def zone_name(zone_id: str) -> str | None:
    """The zone of every record here."""
    assert zone_id == "z"
    return "slipway.example"


def test_good_inputs_have_no_failure() -> None:
    """Also with all options."""
    assert DNS_RECORD.check(RECORD) == []
    assert DNS_RECORD.check({**RECORD, "ttl": 1.0, "proxied": True, "comment": "c", "tags": ["a:b"]}) == []
    assert ZONE.check({"name": "slipway.example", "account": {"id": "a"}}) == []


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        ({"zoneId": None}, "zoneId", "is required"),
        ({"name": ""}, "name", "is required"),
        ({"value": "1.2.3.4"}, "value", "has no such input; it has comment, content"),
        ({"type": "B"}, "type", "is no record type; one of A, AAAA"),
        ({"content": "fd00::1"}, "content", "is no IPv4 address, which A records need"),
        ({"type": "AAAA"}, "content", "is no IPv6 address, which AAAA records need"),
        ({"ttl": 5.0}, "ttl", "give 1 (automatic) or 30 to 86400 seconds"),
        ({"ttl": -1.0}, "ttl", "give 1"),
        ({"ttl": "soon"}, "ttl", "give 1"),
        ({"proxied": True}, "ttl", "proxied records have an automatic time to live: give 1"),
        ({"type": "MX", "content": "mail.example"}, "priority", "MX records need one"),
    ],
)
def test_a_bad_input_is_named_with_its_fix(change: dict[str, Any], where: str, reason: str) -> None:
    """Before anything is made."""
    inputs = {name: value for name, value in {**RECORD, **change}.items() if value is not None}
    (failure,) = DNS_RECORD.check(inputs)
    assert failure.property == where
    assert reason in failure.reason


def test_values_that_are_still_unknown_pass() -> None:
    """Another resource will tell them."""
    assert DNS_RECORD.check({**RECORD, "content": UNKNOWN, "zoneId": UNKNOWN}) == []


def test_equal_inputs_are_no_change() -> None:
    """Nor are two spellings of one thing."""
    assert DNS_RECORD.changes(RECORD, dict(RECORD), zone_name) == ([], [])
    old = {**RECORD, "type": "AAAA", "content": "2001:db8::1"}
    assert DNS_RECORD.changes(old, {**old, "content": "2001:0DB8:0::1"}, zone_name) == ([], [])


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("www.slipway.example", "www", False),  # an imported record
        ("slipway.example", "@", False),
        ("www", "WWW.", False),
        ("a.b", "a", True),
        ("www.slipway.example", "slipway.example", True),
        ("www.slipway.example", "@", True),
    ],
)
def test_a_name_without_its_zones_means_the_full_one(before: str, after: str, *, changes: bool) -> None:
    """A longer name that begins with it is another."""
    changed, _ = DNS_RECORD.changes({**RECORD, "name": before}, {**RECORD, "name": after}, zone_name)
    assert changed == (["name"] if changes else [])


def test_only_another_zone_needs_another_record() -> None:
    """All else is changed in place."""
    new = {**RECORD, "zoneId": "other", "content": "203.0.113.2", "comment": "new"}
    assert DNS_RECORD.changes(RECORD, new, zone_name) == (["zoneId", "content", "comment"], ["zoneId"])


def test_another_account_or_name_needs_another_zone() -> None:
    """Cloudflare moves neither."""
    old = {"name": "a.example", "account": {"id": "1"}, "paused": False}
    new = {"name": "b.example", "account": {"id": "2"}, "paused": True}
    changed, replaced = ZONE.changes(old, new, zone_name)
    assert sorted(changed) == ["account", "name", "paused"]
    assert sorted(replaced) == ["account", "name"]


def test_a_plan_knows_the_inputs_and_nothing_else() -> None:
    """The rest shows as unknown in a preview."""
    planned = DNS_RECORD.planned(RECORD)
    assert planned["content"] == "203.0.113.1"
    assert planned["createdOn"] == UNKNOWN


def test_a_live_value_that_means_the_declared_one_keeps_its_spelling() -> None:
    """Else every refresh would show a change."""
    answer = {
        "name": "www.slipway.example",
        "type": "A",
        "content": "203.0.113.1",
        "ttl": 300,
        "meta": {"b": 1, "a": 2},
    }
    outputs = DNS_RECORD.outputs(answer, RECORD, zone_name)
    assert outputs["name"] == "www"
    assert outputs["zoneId"] == "z"
    assert outputs["meta"] == '{"a": 2, "b": 1}'


@pytest.mark.parametrize(
    ("kind", "declared", "live", "same"),
    [
        ("TXT", "v=spf1 -all", '"v=spf1 -all"', True),
        ("CNAME", "host.example.", "host.example", True),
        ("CNAME", "host.example", "other.example", False),
        ("AAAA", "2001:DB8::1", "2001:db8::1", True),
        ("A", "203.0.113.1", "203.0.113.2", False),
        ("CAA", "0 issue a", "0 issue A", False),
    ],
)
def test_contents_are_compared_by_what_they_mean(kind: str, declared: str, live: str, *, same: bool) -> None:
    """By the record's type."""
    inputs = {**RECORD, "type": kind, "content": declared}
    outputs = DNS_RECORD.outputs({"type": kind, "content": live}, inputs, zone_name)
    assert outputs["content"] == (declared if same else live)


def test_inputs_follow_a_change_made_by_hand() -> None:
    """So that the next run sees it and puts it right."""
    inputs = {**RECORD, "settings": {"flattenCname": False}, "comment": "ours"}
    answer = {"name": "www.slipway.example", "type": "A", "content": "203.0.113.9", "ttl": 300, "settings": {}}
    outputs = DNS_RECORD.outputs(answer, inputs, zone_name)
    followed = DNS_RECORD.inputs_of(outputs, inputs)
    assert DNS_RECORD.changes(followed, inputs, zone_name)[0] == ["content", "comment"]


def test_an_imported_objects_inputs_are_all_that_can_be_set() -> None:
    """Nothing was declared before."""
    answer = {"name": "www.slipway.example", "type": "A", "content": "203.0.113.9", "ttl": 1, "tags": []}
    outputs = DNS_RECORD.outputs(answer, {"zoneId": "z"}, zone_name)
    assert DNS_RECORD.inputs_of(outputs, {}) == {
        "zoneId": "z",
        "name": "www.slipway.example",
        "type": "A",
        "content": "203.0.113.9",
        "ttl": 1,
    }
