"""Whether what Cloudflare tells means what was declared: it adds members of its own and fills in what was left out."""

from collections.abc import Mapping
from typing import Any

TOLD = frozenset({"id", "version", "lastUpdated", "ref", "categories", "disabledAt"})
"""Members that Cloudflare gives each item of a list by itself; nobody declares that they must be absent."""


def means(declared: Any, live: Any, defaults: Mapping[str, Any]) -> bool:
    """Whether two values mean the same, at any depth.

    A member that only one of the two has must be what it is by default: its value in ``defaults``, else one that says
    nothing (``False``, ``0``, an empty text, list or object). So a rule switched off by hand is a difference, whether
    or not ``enabled`` was declared, and so is a member that is no longer declared.
    """
    if isinstance(declared, dict) and isinstance(live, dict):
        return all(_member(name, declared, live, defaults) for name in declared.keys() | live.keys())
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and all(
            means(one, other, defaults) for one, other in zip(declared, live, strict=True)
        )
    return bool(declared == live)


def _member(name: str, declared: Mapping[str, Any], live: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    if name in declared and name in live:
        return means(declared[name], live[name], defaults)
    if name in TOLD and name not in declared:
        return True
    value = declared[name] if name in declared else live[name]
    return value == defaults[name] if name in defaults else _says_nothing(value, defaults)


def _says_nothing(value: Any, defaults: Mapping[str, Any]) -> bool:
    if isinstance(value, dict):
        return all(
            item == defaults[name] if name in defaults else _says_nothing(item, defaults)
            for name, item in value.items()
        )
    return not value
