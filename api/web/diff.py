"""A plan's steps as a page shows them: grouped, flattened, worded. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from api.plans.document import ChangeKind, PlanStep, StepOp

SECRET = "[secret]"  # noqa: S105 - what stands in a secret's place

SYMBOLS: Mapping[StepOp, tuple[str, str]] = MappingProxyType(
    {
        StepOp.CREATE: ("+", "create"),
        StepOp.UPDATE: ("~", "update"),
        StepOp.REPLACE: ("±", "replace"),
        StepOp.DELETE: ("\N{MINUS SIGN}", "delete"),
        StepOp.SAME: ("=", "no change"),
    }
)
"""A sign and a word for each operation: colour alone tells nobody."""

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "VmLegacy": "Virtual machine",
        "ContainerLegacy": "Container",
        "DnsRecord": "DNS record",
        "OptionsLegacy": "Firewall",
        "RulesLegacy": "Firewall rules",
        "IpsetLegacy": "Address filter",
        "MachineClaim": "Claim on a machine",
        "Wipe": "Wipe at the end",
        "BootProfile": "Boot profile",
        "Installation": "Installation of a machine",
        "FileLegacy": "File on the node",
        "Stack": "The stack itself",
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One property. ``kind`` is ``same`` for a value that is only told, not changed."""

    path: str
    kind: str
    before: Any = None
    after: Any = None

    @property
    def is_secret(self) -> bool:
        """Whether the value is hidden."""
        return SECRET in (self.before, self.after)


@dataclass(frozen=True, slots=True)
class StepView:
    """One resource."""

    step: PlanStep
    lines: tuple[Line, ...]

    @property
    def symbol(self) -> str:
        """The operation's sign."""
        return SYMBOLS[self.step.op][0]

    @property
    def word(self) -> str:
        """The operation's word."""
        return SYMBOLS[self.step.op][1]

    @property
    def title(self) -> str:
        """What kind of thing it is, in words where we have some."""
        return _TITLES.get(self.step.resource, self.step.resource)

    @property
    def loses_data(self) -> bool:
        """Whether a customer's disk goes with it."""
        return self.step.loses_data


def view(steps: Iterable[PlanStep]) -> tuple[list[StepView], list[StepView]]:
    """Return the steps that change something, those that destroy first, and those that do not."""
    order = [StepOp.DELETE, StepOp.REPLACE, StepOp.UPDATE, StepOp.CREATE]
    views = [StepView(step, tuple(_lines(step))) for step in steps]
    changing = [one for one in views if one.step.op is not StepOp.SAME]
    changing.sort(key=lambda one: (not one.loses_data, order.index(one.step.op)))
    return changing, [one for one in views if one.step.op is StepOp.SAME]


def _lines(step: PlanStep) -> Iterator[Line]:
    if step.op in {StepOp.UPDATE, StepOp.REPLACE} and step.changes:
        for change in step.changes:
            yield from _changed(change.path, change.kind, change.before, change.after)
    elif step.op is StepOp.CREATE:
        yield from (Line(path, "added", after=value) for path, value in flatten(step.inputs))
    elif step.op is StepOp.DELETE:
        yield from (Line(path, "removed", before=value) for path, value in flatten(step.inputs))
    else:
        yield from (Line(path, "same", after=value) for path, value in flatten(step.inputs))


def _changed(path: str, kind: ChangeKind, before: Any, after: Any) -> Iterator[Line]:
    if kind is ChangeKind.CHANGED:
        yield Line(path, "changed", before, after)
    elif kind is ChangeKind.ADDED:
        yield from (Line(inner, "added", after=value) for inner, value in flatten(after, path))
    else:
        yield from (Line(inner, "removed", before=value) for inner, value in flatten(before, path))


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Walk a document: ``{"cpu": {"cores": 2}}`` is ``cpu.cores`` 2. Internal names (``__x``) are left out."""
    if isinstance(value, Mapping) and value:
        for key, inner in sorted(value.items()):
            if not str(key).startswith("__"):
                yield from flatten(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for index, inner in enumerate(value):
            yield from flatten(inner, f"{path}[{index}]")
    elif path:
        yield path, value
