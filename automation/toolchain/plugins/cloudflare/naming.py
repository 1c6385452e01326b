"""Property names: Pulumi writes ``zoneId`` where Cloudflare writes ``zone_id``."""

import re
from collections.abc import Mapping
from typing import Any

_CAPITAL = re.compile(r"(?<!^)([A-Z])")

Names = Mapping[str, str]
"""Members within a property whose name at Cloudflare is not the property's in snake case: ``{"hosts": "Host"}``."""

NO_NAMES: Names = {}


def to_wire_name(name: str) -> str:
    """``zoneId`` to ``zone_id``."""
    return _CAPITAL.sub(r"_\1", name).lower()


def to_property_name(name: str) -> str:
    """``zone_id`` to ``zoneId``."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def to_wire(value: Any, names: Names = NO_NAMES) -> Any:
    """A property value as Cloudflare wants it: names changed throughout, whole numbers without a fraction."""
    if isinstance(value, dict):
        return {names.get(key) or to_wire_name(key): to_wire(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [to_wire(item, names) for item in value]
    return whole(value)


def to_properties(value: Any, names: Names = NO_NAMES) -> Any:
    """A value of an answer with the names changed throughout, without what is null."""
    return _to_properties(value, {wire: name for name, wire in names.items()})


def _to_properties(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {
            names.get(key) or to_property_name(key): _to_properties(item, names)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [_to_properties(item, names) for item in value]
    return value


def whole(value: Any) -> Any:
    """A value with its whole numbers without a fraction and its keys as they are: they are data, not names."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
