"""Property names: Pulumi writes ``zoneId`` where Cloudflare writes ``zone_id``."""

import re
from typing import Any

_CAPITAL = re.compile(r"(?<!^)([A-Z])")


def to_wire_name(name: str) -> str:
    """``zoneId`` to ``zone_id``."""
    return _CAPITAL.sub(r"_\1", name).lower()


def to_property_name(name: str) -> str:
    """``zone_id`` to ``zoneId``."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def to_wire(value: Any) -> Any:
    """A property value as Cloudflare wants it: names changed throughout, whole numbers without a fraction."""
    if isinstance(value, dict):
        return {to_wire_name(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_wire(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def to_properties(value: Any) -> Any:
    """A value of an answer with the names changed throughout, without what is null."""
    if isinstance(value, dict):
        return {to_property_name(key): to_properties(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [to_properties(item) for item in value]
    return value
