"""The pure rules of drift: comparison, severity, ignoring, what is harmless, what may be removed."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.drift.compare import compare, strays
from api.drift.facts import Difference, Expected, ListedGuest, order_of
from api.drift.harmless import is_harmless
from api.drift.ignoring import IgnoreRule, is_ignored
from api.drift.models import DriftKind, OrphanKind, OrphanStatus, Severity
from api.drift.removal import Orphan, describe_removal, removal_refusal
from api.drift.severity import severity_of

ORDER = UUID("01932c07-0000-7000-9000-000000000001")
WANTED = Expected(
    workload_id=uuid4(),
    order_id=ORDER,
    vmid=100_001,
    kind="qemu",
    name="box",
    cores=2,
    memory_mib=2048,
    disk_gib=20,
    started=True,
    fqdn="box.play.example",
    ipv4="203.0.113.5",
    ipv6="2001:db8::2",
)
THERE = ListedGuest(
    vmid=100_001,
    kind="qemu",
    name="box",
    is_running=True,
    tags=frozenset({"slipway", f"order-{ORDER}"}),
    cores=2,
    memory_mib=2048,
    disk_gib=20,
)
GUEST = "proxmoxve:index/vmLegacy:VmLegacy"


def _kinds(guest: ListedGuest | None, wanted: Expected = WANTED) -> list[tuple[DriftKind, list[str]]]:
    listed = {} if guest is None else {guest.vmid: guest}
    return [(one.kind, [path.path for path in one.paths]) for one in compare([wanted], listed, None)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"is_running": False}, [(DriftKind.POWER, ["started"])]),
        ({"cores": 3, "name": "mine"}, [(DriftKind.CHANGED, ["resources.cores", "hostname"])]),
        ({"memory_mib": 1, "disk_gib": 1}, [(DriftKind.CHANGED, ["resources.memory_mib", "resources.disk_gib"])]),
        ({"disk_gib": None}, []),
        ({"tags": THERE.tags | {"extra"}}, [(DriftKind.CHANGED, ["tags"])]),
        ({"tags": frozenset({"slipway"})}, [(DriftKind.IDENTITY, ["tags"])]),
        ({"kind": "lxc"}, [(DriftKind.IDENTITY, ["kind"])]),
        ({"lock": "clone", "cores": 9}, []),
        ({"lock": "backup", "cores": 9}, [(DriftKind.CHANGED, ["resources.cores"])]),
    ],
)
def test_a_guest_is_held_against_its_row(change: dict[str, Any], found: list[tuple[DriftKind, list[str]]]) -> None:
    """Each property by itself; a guest in the making is not judged, one that is backed up is."""
    assert _kinds(replace(THERE, **change)) == found


def test_what_was_not_applied_yet_is_only_looked_for() -> None:
    """Its size and power are about to change; its being there is not."""
    waiting = replace(WANTED, is_current=False)
    assert _kinds(replace(THERE, cores=9, is_running=False), waiting) == []
    assert _kinds(None, waiting) == [(DriftKind.MISSING, ["guest"])]


def test_records_are_held_against_the_row() -> None:
    """None, another, or one too many."""
    right = {
        ("box.play.example", "A"): frozenset({"203.0.113.5"}),
        ("box.play.example", "AAAA"): frozenset({"2001:db8::2"}),
    }
    assert compare([WANTED], {100_001: THERE}, right) == []
    twice = {**right, ("box.play.example", "A"): frozenset({"203.0.113.5", "203.0.113.6"})}
    (found,) = compare([WANTED], {100_001: THERE}, twice)
    assert found.paths == (Difference("dns.A", "203.0.113.5", "203.0.113.5, 203.0.113.6"),)
    (found,) = compare([WANTED], {100_001: THERE}, {})
    assert [path.after for path in found.paths] == [None, None]


def test_strays_are_ours_by_tag_and_in_nobodys_place() -> None:
    """Strangers, templates and guests in their place are none."""
    ours = replace(THERE, vmid=7)
    others = [THERE, replace(THERE, vmid=8, tags=frozenset()), replace(THERE, vmid=9, is_template=True)]
    assert strays([WANTED], {guest.vmid: guest for guest in (ours, *others)}) == [ours]


@pytest.mark.parametrize(
    ("tags", "order"),
    [
        ({f"order-{ORDER}", "slipway"}, ORDER),
        ({"order-mine"}, None),
        ({f"order-{ORDER}", f"order-{uuid4()}"}, None),
        (set(), None),
    ],
)
def test_an_order_is_named_by_one_tag(tags: set[str], order: UUID | None) -> None:
    """Two orders' tags on one guest say nothing."""
    assert order_of(frozenset(tags)) == order


@pytest.mark.parametrize(
    ("kind", "path", "sightings", "severity"),
    [
        (DriftKind.MISSING, Difference("guest", "x", None), 1, Severity.WARNING),
        (DriftKind.MISSING, Difference("guest", "x", None), 2, Severity.CRITICAL),
        (DriftKind.IDENTITY, Difference("tags", [], []), 1, Severity.CRITICAL),
        (DriftKind.POWER, Difference("started", True, False), 9, Severity.WARNING),  # noqa: FBT003 - a value
        (DriftKind.CHANGED, Difference("hostname", "a", "b"), 9, Severity.INFO),
        (DriftKind.CHANGED, Difference("resources.cores", 1, 2), 1, Severity.WARNING),
        (DriftKind.CHANGED, Difference("resources.disk_gib", 20, 30), 1, Severity.WARNING),
        (DriftKind.CHANGED, Difference("resources.disk_gib", 20, 10), 1, Severity.CRITICAL),
        (DriftKind.CHANGED, Difference("OptionsLegacy.macfilter", 1, 0), 1, Severity.CRITICAL),
        (DriftKind.UNEXPECTED, Difference("copies", None, "n/1"), 5, Severity.WARNING),
    ],
)
def test_each_severity_has_its_rule(kind: DriftKind, path: Difference, sightings: int, severity: Severity) -> None:
    """The worst path decides; a missing guest becomes certain at the second look."""
    assert severity_of(kind, [path], sightings) is severity
    assert severity_of(kind, [Difference("tags", 1, 2), path], sightings) is severity


def test_a_rule_covers_what_it_names_and_no_more() -> None:
    """Workload, kind and path; a blanket rule never hides that a guest is missing or a stranger's."""
    mine, cores = WANTED.workload_id, Difference("resources.cores", 1, 2)
    assert is_ignored([IgnoreRule(workload_id=mine)], mine, DriftKind.MISSING, [cores])
    assert not is_ignored([IgnoreRule(workload_id=uuid4())], mine, DriftKind.CHANGED, [cores])
    assert is_ignored([IgnoreRule(path_pattern="resources.*")], mine, DriftKind.CHANGED, [cores])
    assert not is_ignored([IgnoreRule(path_pattern="dns.*")], mine, DriftKind.CHANGED, [cores])
    assert not is_ignored([IgnoreRule(kind=DriftKind.MISSING)], mine, DriftKind.MISSING, [cores])
    assert not is_ignored([IgnoreRule(path_pattern="*")], mine, DriftKind.IDENTITY, [cores])
    two = [IgnoreRule(path_pattern="resources.*"), IgnoreRule(path_pattern="tags")]
    assert is_ignored(two, mine, DriftKind.CHANGED, [cores, Difference("tags", 1, 2)])


@pytest.mark.parametrize(
    ("kind", "path", "steps", "harmless"),
    [
        (DriftKind.POWER, Difference("started", True, False), [(GUEST, "update", "started")], True),  # noqa: FBT003
        (DriftKind.POWER, Difference("started", False, True), [(GUEST, "update", "started")], False),  # noqa: FBT003
        (DriftKind.POWER, Difference("started", True, False), [(GUEST, "update", "cpu.cores")], False),  # noqa: FBT003
        (DriftKind.CHANGED, Difference("tags", [], []), [(GUEST, "update", "tags[0]")], True),
        (DriftKind.CHANGED, Difference("dns.A", "a", None), [("c:i:DnsRecord", "delete", "")], True),
        (DriftKind.CHANGED, Difference("resources.cores", 1, 2), [(GUEST, "update", "cpu.cores")], False),
        (DriftKind.CHANGED, Difference("tags", [], []), [(GUEST, "replace", "tags[0]")], False),
        (DriftKind.CHANGED, Difference("tags", [], []), [("p:i:OptionsLegacy", "update", "tags")], False),
        (DriftKind.MISSING, Difference("guest", "x", None), [(GUEST, "delete", "")], False),
    ],
)
def test_only_what_neither_reboots_replaces_nor_deletes_is_harmless(
    kind: DriftKind, path: Difference, steps: list[tuple[str, str, str]], *, harmless: bool
) -> None:
    """And only once the engine has looked."""
    told = [{"type": type_, "op": op, "changes": [{"path": where}] if where else []} for type_, op, where in steps]
    assert is_harmless(kind, [path], told) is harmless
    assert not is_harmless(kind, [path], None)


def test_only_what_is_ours_and_confirmed_may_be_removed() -> None:
    """Tags and number must both be ours; each refusal says why."""
    tags = (f"order-{ORDER}", "slipway")
    guest = Orphan(OrphanKind.GUEST_WITHOUT_ROW, "cloud-1", "100001", "box", tags, 100_001, "qemu")
    assert removal_refusal(guest, OrphanStatus.CONFIRMED) is None
    for status in set(OrphanStatus) - {OrphanStatus.CONFIRMED}:
        assert removal_refusal(guest, status)
    foreign = [replace(guest, tags=("slipway",)), replace(guest, tags=tags[:1]), replace(guest, vmid=99_999)]
    record = Orphan(OrphanKind.DNS_RECORD_WITHOUT_ROW, "play.example", "r1", "www A", ("the shop's page",))
    row = replace(guest, kind=OrphanKind.ROW_WITHOUT_GUEST)
    for orphan in (*foreign, record, row):
        assert removal_refusal(orphan, OrphanStatus.CONFIRMED)
    assert "guest 100001 ('box') on node cloud-1" in describe_removal(guest)
    assert describe_removal(row).startswith("nothing")
