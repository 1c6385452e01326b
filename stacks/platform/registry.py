"""The programs of the platform stacks: the one place where a new kind is added."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any

from components.specs.platform import PlatformKind, PlatformSpec, parse_platform_stack
from stacks.platform.configuration import parse_spec
from stacks.platform.program import Estate, PlatformProgram, run


@dataclass(frozen=True, slots=True)
class Kind:
    """Where spec and program of one kind of platform stack are: ``module:name``.

    Named, not imported: a provider's SDK takes up to two seconds to import, and each stack needs one or two of them.
    """

    spec: str
    program: str

    def spec_class(self) -> type[PlatformSpec]:
        """The model of the stack's configuration."""
        found: type[PlatformSpec] = resolve_name(self.spec)
        return found

    def program_class(self) -> Callable[[Any, Estate], PlatformProgram]:
        """The program, made with the spec and the estate."""
        found: Callable[[Any, Estate], PlatformProgram] = resolve_name(self.program)
        return found


_SPECS, _PROGRAMS = "components.specs.platform", "stacks.platform"

KINDS: Mapping[PlatformKind, Kind] = MappingProxyType(
    {
        PlatformKind.NETWORK: Kind(f"{_SPECS}.network:NetworkSpec", f"{_PROGRAMS}.network:NetworkProgram"),
        PlatformKind.CONTROL_PLANE: Kind(
            f"{_SPECS}.control_plane:ControlPlaneSpec", f"{_PROGRAMS}.control_plane:ControlPlaneProgram"
        ),
    }
)
"""Spec and program of each kind."""


def platform_program(
    stack: str, document: Any, file: Path | None = None, kinds: Mapping[PlatformKind, Kind] = KINDS
) -> Callable[[], None]:
    """Return the program of a platform stack.

    Args:
        stack: its name, such as ``lab-network``.
        document: its configuration, the value of ``slipway:spec``.
        file: where that was written, if anywhere.
        kinds: the programs to choose from.

    Raises:
        LookupError: if the name is no platform stack's.
        ConfigurationError: if the configuration is wrong.
    """
    named = parse_platform_stack(stack)
    if named is None or named[1] not in kinds:
        raise LookupError(f"'{stack}' is no platform stack")
    estate, name = named
    kind = kinds[name]
    spec = parse_spec(kind.spec_class(), document, file)
    program = kind.program_class()(spec, Estate(estate))
    return lambda: run(program, stack=stack, kind=name, spec=spec)
