"""The record of the parts, checked by ``stat`` alone: no process is started to see that all is in place."""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automation.toolchain.parts import PARTS, Part


def _fingerprint(path: Path) -> list[int]:
    """Size in bytes and modification time in nanoseconds of the file behind any link."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def write_manifest(path: Path, parts: Iterable[Part]) -> None:
    """Record ``parts`` at once or not at all."""
    entries = [
        {
            "name": part.name,
            "version": part.version,
            "path": str(part.path),
            "origin": part.origin,
            "fingerprint": _fingerprint(part.path),
        }
        for part in parts
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1)
    Path(temporary).replace(path)


def read_manifest(path: Path) -> dict[str, Part]:
    """The parts that are still exactly what was recorded, by name; an unreadable record counts as none."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        found = (_part(entry) for entry in entries)
        return {part.name: part for part in found if part is not None}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _part(entry: dict[str, Any]) -> Part | None:
    part = Part(entry["name"], entry["version"], Path(entry["path"]), entry["origin"])
    wanted = {spec.name: spec.version for spec in PARTS}
    try:
        unchanged = _fingerprint(part.path) == entry["fingerprint"] and os.access(part.path, os.X_OK)
    except OSError:
        return None
    return part if unchanged and wanted.get(part.name) == part.version else None
