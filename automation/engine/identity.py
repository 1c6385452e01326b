"""Whose is it? Finds what an interrupted create left outside, by the names that were fixed beforehand.

Pure judgements are here; ``automation.engine.lookups`` does the asking.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_SEPARATORS = re.compile(r"[;,\s]+")
_MAKING_LOCKS = frozenset({"create", "clone"})


class Presence(StrEnum):
    """What was found in the place of an interrupted create."""

    ABSENT = "absent"
    OURS = "ours"
    UNFINISHED = "unfinished"
    BUSY = "busy"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of a look-up.

    Attributes:
        import_id: what the provider's import takes, for ``OURS``.
        name: how to speak of it.
    """

    presence: Presence
    name: str
    import_id: str = ""


def judge_guest(config: Mapping[str, Any] | None, inputs: Mapping[str, Any]) -> Presence:
    """Say whose a guest is that sits at our VMID.

    A guest bears our order's tag from the moment its configuration is complete. A clone that was interrupted before
    that has only the description which the clone request itself carried: it was never started and holds no data.

    Args:
        config: the guest's configuration as Proxmox VE answers it; None if there is no such guest.
        inputs: what the program asked for: ``tags``, ``description``.
    """
    if config is None:
        return Presence.ABSENT
    if config.get("lock") in _MAKING_LOCKS:
        return Presence.BUSY  # while a task makes a guest, nothing but the lock may stand in its configuration
    wanted = set(inputs.get("tags") or ())
    if wanted and wanted <= set(_SEPARATORS.split(str(config.get("tags", "")))):
        return Presence.OURS
    description = str(inputs.get("description") or "").strip()
    if description and str(config.get("description", "")).strip() == description and not _is_set(config, "template"):
        return Presence.UNFINISHED
    return Presence.FOREIGN


def judge_record(records: Iterable[Mapping[str, Any]], inputs: Mapping[str, Any]) -> tuple[Presence, str]:
    """Say whose the DNS records of our name and type are; returns the id of ours too."""
    comment = str(inputs.get("comment") or "")
    others = False
    for record in records:
        if comment and record.get("comment") == comment:
            return Presence.OURS, str(record["id"])
        others = True
    return (Presence.FOREIGN if others else Presence.ABSENT), ""


def owned_guests(resources: Sequence[Mapping[str, Any]]) -> set[tuple[str, int]]:
    """Return (node, VMID) of each guest that the stack's state already holds."""
    return {
        (str(resource["inputs"]["nodeName"]), int(resource["inputs"]["vmId"]))
        for resource in resources
        if resource.get("type", "").rpartition(":")[2] in {"VmLegacy", "ContainerLegacy"}
        and {"nodeName", "vmId"} <= resource.get("inputs", {}).keys()
    }


def _is_set(config: Mapping[str, Any], name: str) -> bool:
    return str(config.get(name, "0")) not in {"", "0"}
