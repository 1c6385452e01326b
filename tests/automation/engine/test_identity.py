"""Whose is it?"""

from typing import Any

import pytest

from automation.engine.identity import Presence, judge_guest, judge_record, owned_guests

INPUTS = {"tags": ["order-1", "slipway"], "description": "order-1", "vmId": 201, "nodeName": "a"}


@pytest.mark.parametrize(
    ("config", "presence"),
    [
        (None, Presence.ABSENT),
        ({"tags": "order-1;slipway"}, Presence.OURS),
        ({"tags": "slipway,extra order-1"}, Presence.OURS),
        ({"tags": "slipway"}, Presence.FOREIGN),
        ({"tags": "order-12;slipway"}, Presence.FOREIGN),
        ({"lock": "clone"}, Presence.BUSY),
        ({"lock": "create", "tags": "mine"}, Presence.BUSY),
        ({"lock": "backup", "tags": "order-1;slipway"}, Presence.OURS),
        ({"description": "order-1\n"}, Presence.UNFINISHED),
        ({"description": "order-1", "template": 1}, Presence.FOREIGN),
        ({"description": "another"}, Presence.FOREIGN),
        ({"name": "same-name"}, Presence.FOREIGN),
        ({}, Presence.FOREIGN),
    ],
)
def test_a_guest_is_ours_by_its_tags_and_nothing_less(config: dict[str, Any] | None, presence: Presence) -> None:
    """A number or a name alone proves nothing."""
    assert judge_guest(config, INPUTS) is presence


def test_a_guest_is_never_ours_when_nothing_was_asked_for() -> None:
    """Empty tags are in every guest's tags, and an empty description in most."""
    assert judge_guest({"tags": "", "description": ""}, {}) is Presence.FOREIGN


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], (Presence.ABSENT, "")),
        ([{"id": "r1", "comment": "order-1"}], (Presence.OURS, "r1")),
        ([{"id": "r0", "comment": None}, {"id": "r1", "comment": "order-1"}], (Presence.OURS, "r1")),
        ([{"id": "r0", "comment": "order-2"}], (Presence.FOREIGN, "")),
    ],
)
def test_a_record_is_ours_by_its_comment(records: list[dict[str, Any]], expected: tuple[Presence, str]) -> None:
    """The name alone does not say who made it."""
    assert judge_record(records, {"comment": "order-1"}) == expected


def test_guests_of_the_state_are_known_by_node_and_number() -> None:
    """Other resources, and ones without a number, are not guests."""
    resources: list[dict[str, Any]] = [
        {"type": "proxmoxve:index/vmLegacy:VmLegacy", "inputs": {"nodeName": "a", "vmId": 201}},
        {"type": "proxmoxve:index/vmLegacy:VmLegacy", "inputs": {"nodeName": "a"}},
        {"type": "cloudflare:index/dnsRecord:DnsRecord", "inputs": {"name": "x"}},
        {"type": "pulumi:pulumi:Stack"},
    ]

    assert owned_guests(resources) == {("a", 201)}
