"""The spec of each kind of platform stack, for whoever has to check one without the engine's SDK.

A kind's spec is the one ``PlatformSpec`` of the module that is named after it: ``control-plane`` is described in
``components.specs.platform.control_plane``.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

from components.specs.platform.base import PlatformKind, PlatformSpec


@cache
def spec_models() -> Mapping[PlatformKind, type[PlatformSpec]]:
    """Return the specs by kind, in the order in which an estate is raised; imports their modules.

    Raises:
        LookupError: if a kind's module has no spec, or several.
    """
    names = {kind: f"{__package__}.{kind.replace('-', '_')}" for kind in PlatformKind}
    return MappingProxyType({kind: _model(name) for kind, name in names.items() if find_spec(name) is not None})


def _model(module: str) -> type[PlatformSpec]:
    found = [
        value
        for value in vars(import_module(module)).values()
        if isinstance(value, type) and issubclass(value, PlatformSpec) and value.__module__ == module
    ]
    if len(found) != 1:
        raise LookupError(f"{module} must define one PlatformSpec, and defines {len(found)}")
    return found[0]
