"""Makes what is there what we want, where a workload's spec has words for it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.drift.errors import NotAdoptable
from api.drift.facts import Difference
from api.drift.models import DriftKind

_MODELLED = frozenset({"resources.cores", "resources.memory_mib", "resources.disk_gib", "started"})

_REASONS = {
    DriftKind.MISSING: "the guest is gone: there is nothing to adopt; cancel the workload, or revert to build it anew",
    DriftKind.IDENTITY: "the guest at this VMID does not bear our tags, so it is not ours to adopt",
    DriftKind.UNEXPECTED: "a second guest of one order cannot be wanted; remove the copy on its node",
}


def adopted(desired: Mapping[str, Any], kind: DriftKind, paths: Sequence[Difference]) -> dict[str, Any]:
    """Return the spec document that wants what was found.

    Raises:
        NotAdoptable: if the finding is no change of a guest of ours, or a path is not modelled by the spec, or would
            shrink a disk.
    """
    if kind in _REASONS:
        raise NotAdoptable(f"finding: {_REASONS[kind]}", kind=kind.value)
    wanted = {**desired, "resources": dict(desired["resources"])}
    for difference in paths:
        _check(difference)
        head, _, field = difference.path.partition(".")
        if field:
            wanted[head][field] = difference.after
        else:
            wanted[head] = difference.after
    return wanted


def _check(difference: Difference) -> None:
    if difference.path not in _MODELLED:
        raise NotAdoptable(
            f"'{difference.path}' is not something that an order can ask for: revert it, or ignore it",
            path=difference.path,
        )
    if difference.path == "resources.disk_gib" and difference.after < difference.before:
        raise NotAdoptable(
            f"'{difference.path}': the disk has {difference.after} GiB and {difference.before} are ordered; "
            "a disk is only ever grown",
            path=difference.path,
        )
