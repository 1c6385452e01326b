"""The spec of each kind of platform stack, for whoever has to check one without the engine's SDK. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from components.specs.platform.base import PlatformKind, PlatformSpec

SPECS: Mapping[PlatformKind, type[PlatformSpec]] = MappingProxyType({})
"""By kind; ``stacks.platform.registry`` has their programs."""
