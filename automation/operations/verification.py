"""Compares what a node says of a guest with what an operation was to bring about. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.operations.models import OperationKind
from automation.operations.guests import GuestFacts
from components.specs import parse_workload_spec


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why an operation has not succeeded, whatever the engine says; ``code`` is stable."""

    code: str
    detail: str
    retryable: bool = True


def find_mismatch(kind: OperationKind, desired: Mapping[str, Any], facts: GuestFacts | None) -> Mismatch | None:
    """Return what is wrong with a guest after an operation, or None if all is well.

    Args:
        kind: after a destroy the guest must be gone, after a reboot it must run.
        desired: the ``WorkloadSpec`` document that was applied.
        facts: the node's own word; None if it has no such guest.
    """
    if kind is OperationKind.DESTROY:
        return None if facts is None else Mismatch("guest_still_there", "The guest is still on its node.")
    if facts is None:
        return Mismatch("guest_missing", "The node does not know the guest that was just made.")
    spec = parse_workload_spec(desired)
    if not facts.tags.issuperset(spec.tags):
        return Mismatch("identity_conflict", "The guest's tags are not those of this order.", retryable=False)
    if facts.is_running is not (spec.started or kind is OperationKind.REBOOT):
        return Mismatch("guest_power", "The guest is not in the power state that was asked for.")
    return None
