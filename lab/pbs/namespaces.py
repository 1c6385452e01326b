"""Namespaces of datastores, and the groups of backups in them. Plain data, no I/O."""

import re
from typing import Any

from lab.pbs.errors import ApiError, wrong_parameter

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,31}")


class Namespaces:
    """All of them, by datastore. The root namespace has the empty name and is always there."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}
        self.groups: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def of(self, store: str) -> list[dict[str, Any]]:
        """The namespaces of a datastore."""
        return [{"ns": name} for name in ("", *sorted(self.names.get(store, ())))]

    def create(self, store: str, name: str, parent: str = "") -> str:
        """Make a namespace below another one; returns its full name."""
        if not _NAME.fullmatch(name):
            raise wrong_parameter("name", "value does not match the regex pattern")
        self._check(store, parent)
        full = f"{parent}/{name}" if parent else name
        if full in self.names.get(store, ()):
            raise ApiError(f"namespace '{full}' already exists")
        self.names.setdefault(store, set()).add(full)
        return full

    def delete(self, store: str, name: str, *, with_groups: bool) -> None:
        """Remove a namespace and those below it; backups only where that is asked for."""
        if not name:
            raise ApiError("cannot delete root namespace!")
        self._check(store, name)
        inside = [item for item in self.names[store] if f"{item}/".startswith(f"{name}/")]
        full = [item for item in inside if self.groups.get((store, item))]
        if full and not with_groups:
            raise ApiError(f"group only partially deleted: namespace '{full[0]}' is not empty")
        for item in inside:
            self.groups.pop((store, item), None)
            self.names[store].discard(item)

    def groups_in(self, store: str, name: str) -> list[dict[str, Any]]:
        """The groups of backups of one namespace."""
        if name:
            self._check(store, name)
        return self.groups.get((store, name), [])

    def forget(self, store: str) -> None:
        """A datastore is gone from the configuration. Its files stay on the disk, but the lab has no disk."""
        self.names.pop(store, None)
        for key in [key for key in self.groups if key[0] == store]:
            del self.groups[key]

    def _check(self, store: str, name: str) -> None:
        if name and name not in self.names.get(store, ()):
            raise ApiError(f"namespace '{name}' does not exist", 404)
