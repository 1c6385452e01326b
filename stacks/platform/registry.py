"""The programs of the platform stacks: the one place where a new kind is added."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components.specs.platform import PlatformKind, PlatformSpec, parse_platform_stack
from components.specs.platform.backup import BackupSpec
from stacks.platform.backup import BackupProgram
from stacks.platform.configuration import parse_spec
from stacks.platform.program import Estate, PlatformProgram, run


@dataclass(frozen=True, slots=True)
class Kind:
    """What is behind one kind of platform stack."""

    spec: type[PlatformSpec]
    program: Callable[[Any, Estate], PlatformProgram]


KINDS: Mapping[PlatformKind, Kind] = MappingProxyType({PlatformKind.BACKUP: Kind(BackupSpec, BackupProgram)})
"""Spec and program of each kind."""


def platform_program(stack: str, document: Any, file: Path | None = None) -> Callable[[], None]:
    """Return the program of a platform stack.

    Args:
        stack: its name, such as ``lab-network``.
        document: its configuration, the value of ``slipway:spec``.
        file: where that was written, if anywhere.

    Raises:
        LookupError: if the name is no platform stack's.
        ConfigurationError: if the configuration is wrong.
    """
    named = parse_platform_stack(stack)
    if named is None or named[1] not in KINDS:
        raise LookupError(f"'{stack}' is no platform stack")
    estate, name = named
    kind = KINDS[name]
    spec = parse_spec(kind.spec, document, file)
    program = kind.program(spec, Estate(estate))
    return lambda: run(program, stack=stack, kind=name, spec=spec)
