"""A plan's steps as lines, without a database."""

from typing import Any

import pytest

from api.plans.document import PlanStep
from api.web.diff import flatten, view


def _step(op: str, **fields: Any) -> PlanStep:
    given = {"urn": f"urn:{op}", "type": "proxmoxve:index/vmLegacy:VmLegacy", "op": op, **fields}
    return PlanStep.model_validate(given)


def _lines(step: PlanStep) -> list[tuple[str, str, Any, Any]]:
    changing, same = view([step])
    return [(line.path, line.kind, line.before, line.after) for one in changing + same for line in one.lines]


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({"cpu": {"cores": 2, "units": 100}}, [("cpu.cores", 2), ("cpu.units", 100)]),
        ({"disks": [{"size": 20}, {"size": 40}]}, [("disks[0].size", 20), ("disks[1].size", 40)]),
        ({"b": None, "a": False}, [("a", False), ("b", None)]),
        ({"empty": {}, "none": []}, [("empty", {}), ("none", [])]),
        ({"__provider": "pickle", "a": {"__defaults": [1]}}, []),
        ({}, []),
    ],
)
def test_a_document_becomes_paths_in_alphabetical_order(document: Any, lines: list[tuple[str, Any]]) -> None:
    """Nested values by dots and brackets; what the engine keeps for itself is left out; nothing else is lost."""
    assert list(flatten(document)) == lines


def test_what_is_created_and_deleted_is_told_whole() -> None:
    """On the side where it exists."""
    assert _lines(_step("create", inputs={"a": {"b": 1}})) == [("a.b", "added", None, 1)]
    assert _lines(_step("delete", inputs={"a": {"b": 1}})) == [("a.b", "removed", 1, None)]


def test_of_an_update_only_the_differences_are_told() -> None:
    """A part that comes or goes is walked as well."""
    changes = [
        {"path": "cores", "kind": "changed", "before": 1, "after": 2},
        {"path": "net", "kind": "added", "after": {"bridge": "vmbr0"}},
        {"path": "tags[1]", "kind": "removed", "before": "old"},
    ]
    step = _step("update", inputs={"cores": 2, "other": "x"}, changes=changes)

    assert _lines(step) == [
        ("cores", "changed", 1, 2),
        ("net.bridge", "added", None, "vmbr0"),
        ("tags[1]", "removed", "old", None),
    ]


def test_what_destroys_data_comes_first_and_what_stays_apart() -> None:
    """Then deletions, replacements, updates, creations."""
    record = {"type": "cloudflare:index/dnsRecord:DnsRecord"}
    steps = [
        _step("create", **record),
        _step("same", **record),
        _step("update", **record),
        _step("delete", **record),
        _step("replace"),
    ]
    changing, same = view(steps)

    assert [one.step.op for one in changing] == ["replace", "delete", "update", "create"]
    assert [one.loses_data for one in changing] == [True, False, False, False]
    assert [one.step.op for one in same] == ["same"]


def test_a_type_that_we_have_no_word_for_keeps_its_own() -> None:
    """Nothing is hidden because it is new."""
    changing, _ = view([_step("create", type="pkg:mod:Brand"), _step("create")])

    assert {one.title for one in changing} == {"Brand", "Virtual machine"}
