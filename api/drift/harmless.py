"""What may be brought back without asking anybody: nothing that reboots, replaces or deletes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.drift.facts import Difference
from api.drift.models import DriftKind

_PATHS = ("tags", "dns.A", "dns.AAAA")
_GUESTS = frozenset({"VmLegacy", "ContainerLegacy"})
_PROPERTIES = ("started", "tags")


def is_harmless(kind: DriftKind, paths: Sequence[Difference], steps: Sequence[Mapping[str, Any]] | None) -> bool:
    """Tell whether a finding may be reverted by itself.

    A guest may be started, its tags and its DNS records written again. The engine must have looked: whatever else it
    has found makes the finding a person's affair.
    """
    if steps is None:
        return False
    if kind is DriftKind.POWER:
        wanted = all(difference.before is True for difference in paths)
    elif kind is DriftKind.CHANGED:
        wanted = all(difference.path in _PATHS for difference in paths)
    else:
        wanted = False
    return wanted and all(map(_is_harmless_step, steps))


def _is_harmless_step(step: Mapping[str, Any]) -> bool:
    resource, op = str(step["type"]).rpartition(":")[2], step["op"]
    if op == "same":
        return True
    if resource == "DnsRecord":
        return True  # a record holds nothing, and is made again by one request
    if resource not in _GUESTS or op != "update":
        return False
    return all(str(change["path"]).startswith(_PROPERTIES) for change in step.get("changes", ()))
