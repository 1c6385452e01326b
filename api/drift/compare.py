"""Holds what nodes and zones list against what our rows expect. Pure: no query a guest, no I/O."""

from collections.abc import Iterable, Iterator, Mapping

from api.drift.facts import OUR_TAG, Difference, Expected, ListedGuest, Records, Suspicion
from api.drift.models import DriftKind

_MAKING = frozenset({"create", "clone", "migrate", "rollback"})
"""Locks under which a guest's configuration is not yet, or no longer, what it says."""

EXISTENCE = frozenset({DriftKind.MISSING, DriftKind.IDENTITY})
"""The kinds that can be told of a workload whose wishes have not been applied."""


def compare(
    expected: Iterable[Expected], listed: Mapping[int, ListedGuest], records: Records | None
) -> list[Suspicion]:
    """Return every difference between a node's workloads and what the node lists.

    Args:
        expected: the workloads whose guests should be there.
        listed: the node's guests by VMID.
        records: our zones' records; None where they could not be read, and nothing is said of them.
    """
    return [suspicion for one in expected for suspicion in _differences(one, listed.get(one.vmid), records)]


def strays(expected: Iterable[Expected], listed: Mapping[int, ListedGuest]) -> list[ListedGuest]:
    """Return the guests that bear our tag and are none of ``expected``; foreign guests are nobody's business here."""
    known = {one.vmid for one in expected}
    return [
        guest for vmid, guest in listed.items() if vmid not in known and OUR_TAG in guest.tags and not guest.is_template
    ]


def _differences(one: Expected, guest: ListedGuest | None, records: Records | None) -> Iterator[Suspicion]:
    changed = list(_record_differences(one, records)) if one.is_current and records is not None else []
    if guest is None:
        missing = Difference("guest", f"{one.kind}/{one.vmid}", None)
        yield Suspicion(one.workload_id, DriftKind.MISSING, (missing,))
    elif guest.lock in _MAKING:
        return
    elif not guest.tags >= one.tags or guest.kind != one.kind:
        yield Suspicion(one.workload_id, DriftKind.IDENTITY, tuple(_identity(one, guest)))
    elif one.is_current:
        if guest.is_running is not one.started:
            power = Difference("started", one.started, guest.is_running)
            yield Suspicion(one.workload_id, DriftKind.POWER, (power,))
        changed = [*_changes(one, guest), *changed]
    if changed:
        yield Suspicion(one.workload_id, DriftKind.CHANGED, tuple(changed))


def _identity(one: Expected, guest: ListedGuest) -> Iterator[Difference]:
    if guest.kind != one.kind:
        yield Difference("kind", one.kind, guest.kind)
    if not guest.tags >= one.tags:
        yield Difference("tags", sorted(one.tags), sorted(guest.tags))
    if guest.name != one.name:
        yield Difference("hostname", one.name, guest.name)


def _changes(one: Expected, guest: ListedGuest) -> Iterator[Difference]:
    for path, wanted, found in (
        ("resources.cores", one.cores, guest.cores),
        ("resources.memory_mib", one.memory_mib, guest.memory_mib),
        ("resources.disk_gib", one.disk_gib, guest.disk_gib),
        ("hostname", one.name, guest.name),
    ):
        if found is not None and wanted != found:
            yield Difference(path, wanted, found)
    if guest.tags != one.tags:
        yield Difference("tags", sorted(one.tags), sorted(guest.tags))


def _record_differences(one: Expected, records: Records) -> Iterator[Difference]:
    for kind, address in (("A", one.ipv4), ("AAAA", one.ipv6)):
        found = records.get((one.fqdn, kind), frozenset())
        if found != {address}:
            yield Difference(f"dns.{kind}", address, ", ".join(sorted(found)) or None)
