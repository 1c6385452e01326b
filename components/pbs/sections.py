"""Datastores, prune jobs and verification jobs: found, made, brought to a wanted form, removed."""

from collections.abc import Mapping
from typing import Any

from components.pbs.client import Pbs
from components.pbs.errors import PbsError, PbsUnreachable
from components.specs.pbs import PbsSectionSpec, Setting

_KEYS = {"datastore": "name", "prune": "id", "verify": "id"}
_FIXED = frozenset({"path"})
"""What an update cannot change."""


class Sections:
    """The sections of one server's configuration; every call blocks."""

    def __init__(self, pbs: Pbs) -> None:
        self._pbs = pbs

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a section's settings, None if there is no such one."""
        items = self._pbs.get(f"/config/{kind}")
        found = next((item for item in items if item[_KEYS[kind]] == name), None)
        return None if found is None else {key: value for key, value in found.items() if key not in _NOT_SETTINGS}

    def ensure(self, spec: PbsSectionSpec) -> dict[str, Any]:
        """Make a section, or take over the one of this name; returns its settings."""
        if self.get(spec.kind, spec.name) is None:
            fields = {_KEYS[spec.kind]: spec.name, **spec.settings}
            try:
                self._pbs.finish(self._pbs.write("POST", f"/config/{spec.kind}", fields))
            except PbsUnreachable:
                if self.get(spec.kind, spec.name) is None:
                    raise
        return self.bring(spec)

    def bring(self, spec: PbsSectionSpec, no_longer: Mapping[str, Setting] | None = None) -> dict[str, Any]:
        """Change what differs, and nothing else.

        Args:
            spec: what shall be.
            no_longer: settings that were ours; those that are not wanted any more go back to the server's default.

        Raises:
            PbsError: if it is gone, or would need another path.
        """
        live = self.get(spec.kind, spec.name)
        if live is None:
            raise PbsError(f"the backup server has no {spec.kind} '{spec.name}' any more; refresh the stack")
        changed = {key: value for key, value in spec.settings.items() if not same(live.get(key), value)}
        if changed.keys() & _FIXED:
            raise PbsError(
                f"the path of datastore '{spec.name}' is {live['path']} and cannot be changed: move its files and edit "
                "/etc/proxmox-backup/datastore.cfg on the server, or give it another name"
            )
        gone = [key for key in no_longer or {} if key not in spec.settings and key in live]
        if changed or gone:
            fields = {**changed, **({"delete": gone} if gone else {})}
            self._pbs.write("PUT", f"/config/{spec.kind}/{spec.name}", fields)
        return self.get(spec.kind, spec.name) or {}

    def remove(self, kind: str, name: str) -> None:
        """Take a section out of the configuration. A datastore's backups stay on its disk."""
        if self.get(kind, name) is not None:
            self._pbs.finish(self._pbs.write("DELETE", f"/config/{kind}/{name}"))


_NOT_SETTINGS = frozenset({"name", "id", "digest"})


def same(live: object, wanted: object) -> bool:
    """Whether two values of a setting mean the same: the engine makes floats of all numbers."""
    return _plain(live) == _plain(wanted)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
