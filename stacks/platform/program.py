"""What every platform stack's program is made of: it declares resources, exports outputs and reports to Inventory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from components.inventory.record import InventoryRecord
from components.specs.platform import REPORT_OUTPUT, PlatformKind, PlatformSpec, platform_stack
from stacks.stack_traces import leave_out_stack_traces


@dataclass(frozen=True, slots=True)
class Declared:
    """What a program has declared.

    Attributes:
        outputs: for people and for other stacks.
        report: the parts of a ``StackReport`` by name (``nodes``, ``networks``, …), each a list of its documents.
        resources: what has to be there before Inventory may be told; the stack's own resources all are, anyway.
    """

    outputs: Mapping[str, pulumi.Input[Any]] = field(default_factory=dict)
    report: Mapping[str, pulumi.Input[Any]] = field(default_factory=dict)
    resources: Sequence[pulumi.Resource] = ()


class Estate:
    """The estate that a stack belongs to, and what its other stacks have made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._references: dict[PlatformKind, pulumi.StackReference] = {}

    @property
    def labels(self) -> dict[str, str]:
        """What each of our things at Hetzner Cloud is labelled with."""
        return {"managed-by": "slipway", "estate": self.name}

    def output(self, kind: PlatformKind, name: str) -> pulumi.Output[Any]:
        """Return an output of another stack of this estate.

        The engine fails with a sentence that names the stack and the output, if there is no such one: that stack has
        to be brought up first.
        """
        if kind not in self._references:
            stack = platform_stack(self.name, kind)
            self._references[kind] = pulumi.StackReference(f"organization/{pulumi.get_project()}/{stack}")
        return self._references[kind].require_output(name)


class PlatformProgram(Protocol):
    """A program of one kind of stack; constructed with its spec and its ``Estate``."""

    def declare(self) -> Declared:
        """Declare every resource of the stack."""


class Everything:
    """Every resource that is declared from now on in this stack, children of components too."""

    def __init__(self) -> None:
        self._resources: list[pulumi.CustomResource] = []
        pulumi.runtime.register_stack_transformation(self._note)

    def __iter__(self) -> Iterator[pulumi.Resource]:
        return iter(self._resources)

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        if isinstance(args.resource, pulumi.CustomResource) and not isinstance(args.resource, pulumi.StackReference):
            self._resources.append(args.resource)


def run(program: PlatformProgram, *, stack: str, kind: PlatformKind, spec: PlatformSpec) -> None:
    """Declare a program's resources, export its outputs, and tell Inventory what was made.

    The record in Inventory depends on everything: what a list by hand would leave out could be taken down while
    Inventory still places customers on it.
    """
    leave_out_stack_traces()
    everything = Everything()
    declared = program.declare()
    for name, value in declared.outputs.items():
        pulumi.export(name, value)
    report = {"stack": stack, "kind": kind.value, "spec": spec.model_dump(mode="json"), **declared.report}
    pulumi.export(REPORT_OUTPUT, report)
    if spec.tells_inventory:
        needed = [*declared.resources, *everything]
        InventoryRecord("inventory", report=report, opts=pulumi.ResourceOptions(depends_on=needed))
