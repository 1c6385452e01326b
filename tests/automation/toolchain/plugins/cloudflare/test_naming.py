"""Property names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.toolchain.plugins.cloudflare.naming import to_properties, to_property_name, to_wire, to_wire_name
from automation.toolchain.plugins.cloudflare.resources import MODELS


@pytest.mark.parametrize(
    ("name", "wire"),
    [("zoneId", "zone_id"), ("name", "name"), ("ipv4Only", "ipv4_only"), ("commentModifiedOn", "comment_modified_on")],
)
def test_names_change_and_change_back(name: str, wire: str) -> None:
    """Between Pulumi's form and Cloudflare's."""
    assert to_wire_name(name) == wire
    assert to_property_name(wire) == name


@given(st.from_regex(re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*){0,3}", re.ASCII), fullmatch=True))
def test_every_name_of_cloudflares_kind_survives_the_round_trip(wire: str) -> None:
    """Words of lower-case letters and digits."""
    assert to_wire_name(to_property_name(wire)) == wire


def test_every_declared_property_survives_the_round_trip() -> None:
    """Else an answer's value would be looked for under the wrong name."""
    names = [field.name for model in MODELS.values() for field in model.fields]
    assert [to_property_name(to_wire_name(name)) for name in names] == names


def test_whole_numbers_are_sent_without_a_fraction() -> None:
    """The engine knows floating-point numbers only."""
    assert to_wire({"ttl": 300.0, "data": {"latSeconds": 1.5}, "tags": [1.0]}) == {
        "ttl": 300,
        "data": {"lat_seconds": 1.5},
        "tags": [1],
    }


def test_nothing_is_told_of_what_is_null() -> None:
    """An absent property and a null one are the same to a program."""
    assert to_properties({"flatten_cname": None, "a_b": [{"c_d": 1}]}) == {"aB": [{"cD": 1}]}
