"""A plan's content: the steps the engine would take. Pure: shared by policy, approval, pages and the policy pack."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class StepOp(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    SAME = "same"


class ChangeKind(StrEnum):
    """What happens to one property."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class PropertyChange(_Frozen):
    """One property's difference; ``path`` as the engine writes it (``cpu.cores``, ``disks[0].size``).

    Secrets are masked before they come here: both sides then read ``[secret]``.
    """

    path: str
    kind: ChangeKind
    before: Any = None
    after: Any = None


class PlanStep(_Frozen):
    """One resource of the stack and what would happen to it.

    Attributes:
        urn: the engine's name of the resource; unique in a plan.
        type: the type token, ``proxmoxve:index/vmLegacy:VmLegacy``.
        name: what a customer knows it by; empty where it has no name of its own.
        inputs: what the program asks for (for a delete: what is in the state), secrets masked.
        changes: the differences, for an update or a replacement.
    """

    urn: str
    type: str
    op: StepOp
    name: str = ""
    inputs: Mapping[str, Any] = {}
    changes: tuple[PropertyChange, ...] = ()

    @property
    def resource(self) -> str:
        """The type's own name: ``VmLegacy``."""
        return self.type.rpartition(":")[2]

    @property
    def holds_data(self) -> bool:
        """Whether the resource has a customer's disk in it."""
        return self.resource in DATA_BEARING

    @property
    def loses_data(self) -> bool:
        """Whether what a customer has stored would be destroyed."""
        if self.op in {StepOp.REPLACE, StepOp.DELETE}:
            return self.holds_data or self.resource == _WIPE
        return self.installs_again

    @property
    def installs_again(self) -> bool:
        """Whether a machine would be installed over what is on its disks; an update that names no property may."""
        if self.resource != _INSTALLATION or self.op is not StepOp.UPDATE:
            return False
        return not self.changes or any(change.path in _INSTALLS_AGAIN for change in self.changes)


_INSTALLATION, _WIPE = "Installation", "Wipe"
_INSTALLS_AGAIN = frozenset({"image", "profile_digest", "installation"})
"""As ``pxe.provider.InstallationProvider`` decides it; all else of an installation is power, rescue and boot order."""

DATA_BEARING = frozenset({"VmLegacy", "ContainerLegacy", _INSTALLATION})
"""Resources whose replacement or deletion destroys what a customer has stored."""


class PlanDocument(_Frozen):
    """Everything an operation would do to its stack, in the engine's order."""

    steps: tuple[PlanStep, ...]

    @classmethod
    def of(cls, steps: Iterable[Mapping[str, Any]]) -> Self:
        """Read the steps as the engine reports them (``EngineResult.steps``).

        Raises:
            pydantic.ValidationError: if a step is not one.
        """
        return cls(steps=tuple(PlanStep.model_validate(step) for step in steps))

    @property
    def changing(self) -> tuple[PlanStep, ...]:
        """The steps that do anything."""
        return tuple(step for step in self.steps if step.op is not StepOp.SAME)

    @property
    def destroys_data(self) -> bool:
        """Whether a disk would be replaced, deleted, wiped or written over."""
        return any(step.loses_data for step in self.steps)

    def counts(self) -> dict[str, int]:
        """Return the number of steps by kind."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.op.value] = found.get(step.op.value, 0) + 1
        return found

    def continues(self, approved: "PlanDocument") -> bool:
        """Tell whether this plan is what was left of ``approved`` when it was cut off: nothing in it is new."""
        allowed = {step.urn: step for step in approved.changing}
        return all(_is_part_of(step, allowed.get(step.urn)) for step in self.changing)


def _is_part_of(step: PlanStep, approved: PlanStep | None) -> bool:
    if approved is None:
        return False
    if step.op is approved.op:
        return step.inputs == approved.inputs
    # A creation or replacement that got half-way is finished by an update to the same inputs.
    return (
        step.op is StepOp.UPDATE and approved.op in {StepOp.CREATE, StepOp.REPLACE} and step.inputs == approved.inputs
    )


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON document, independent of the order of its keys."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
