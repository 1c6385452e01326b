"""From a preview's event log to the steps of a plan. Pure.

The log's events carry whole resource states. What leaves this module is what a person may read and a row may hold:
secrets masked, long texts cut, in an order that does not depend on how the engine happened to go about it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation.engine.events import display_name, is_external
from automation.engine.scrub import MASK, Scrubber

_OPS: Mapping[str, str] = {  # the engine's operation: the plan's
    "create": "create",
    "update": "update",
    "delete": "delete",
    "same": "same",
    "read": "same",
    "import": "update",  # nothing changes outside, but the stack holds it from then on
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "import-replacement": "replace",
}
_KINDS = {"add": "added", "delete": "removed"}
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's word for a value that only the work itself will tell
_UNTOLD = "[known later]"
_SECRET_NAME = re.compile(r"(?i)passw|passphrase|secret|token|api_?key|private_?key|ticket|credential")
_PUBLIC_NAMES = frozenset(  # long and opaque, and no secret: SSH public keys, a DNS zone's id, checksums
    {"keys", "zoneId", "ssh_keys", "profile_digest", "digest", "sha256", "content_sha256"}
)
_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')
_LONGEST_TEXT = 512
_MOST_ITEMS = 64
_MOST_CHANGES = 100
_DEEPEST = 12

Metadata = Mapping[str, Any]


@dataclass(slots=True)
class PreviewLog:
    """Collects the steps of one command's event log.

    Attributes:
        planned: the steps that would be taken, each with all that the engine says about a resource.
        refreshed: what was found by looking at the resources as they really are.
    """

    planned: dict[str, list[Metadata]] = field(default_factory=dict)
    refreshed: dict[str, Metadata] = field(default_factory=dict)
    _looked_at: set[str] = field(default_factory=set)

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take one engine event into account."""
        for name, take in (("resourcePreEvent", self._begun), ("resOutputsEvent", self._seen)):
            payload = event.get(name)
            if payload is not None and payload.get("planning") and is_external(payload["metadata"]):
                take(payload["metadata"])

    def _begun(self, metadata: Metadata) -> None:
        if metadata["op"] == "refresh":
            self._looked_at.add(metadata["urn"])
        elif metadata["op"] in _OPS:
            self.planned.setdefault(metadata["urn"], []).append(metadata)

    def _seen(self, metadata: Metadata) -> None:
        """Note the end of a look at a resource, whose operation then says what came of it."""
        if metadata["urn"] in self._looked_at:
            self._looked_at.discard(metadata["urn"])
            self.refreshed[metadata["urn"]] = metadata

    def steps(self, scrub: Scrubber) -> tuple[Mapping[str, Any], ...]:
        """Return the steps that would be taken, one a resource; see ``EngineResult.steps``."""
        return _ordered(_planned_step(found, scrub) for found in self.planned.values())

    def findings(self, scrub: Scrubber) -> tuple[Mapping[str, Any], ...]:
        """Return what has changed behind the state's back, in the form of steps; ``before`` is the state's word."""
        return _ordered(_found_step(metadata, scrub) for metadata in self.refreshed.values())


def _ordered(steps: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Sort: what a component consists of itself before what its parts consist of. The engine's order is a race's."""
    return tuple(sorted(steps, key=lambda step: (step["urn"].count("$"), step["urn"])))


def _planned_step(found: Sequence[Metadata], scrub: Scrubber) -> dict[str, Any]:
    """Merge what the engine does to one resource: the parts of a replacement are one step."""
    ops = {_OPS[metadata["op"]] for metadata in found}
    # Created and deleted under one name is a replacement as well, and so is the end of an earlier, interrupted one.
    op = ops.pop() if len(ops) == 1 else "replace"
    told = max(found, key=lambda metadata: (bool(metadata.get("new")), bool(metadata.get("detailedDiff"))))
    old = next((metadata["old"] for metadata in found if metadata.get("old")), None) or {}
    new = told.get("new") or {}
    changes = _changes(told, old, new) if op in {"update", "replace"} else []
    return _step(told, op, new or old, changes, scrub)


def _found_step(metadata: Metadata, scrub: Scrubber) -> dict[str, Any]:
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    op = "delete" if not new else "update" if metadata["op"] not in {"same", "refresh"} else "same"
    changes = _differences(old.get("outputs") or {}, new.get("outputs") or {}) if op == "update" else []
    return _step(metadata, op, old or new, changes, scrub)


def _step(
    metadata: Metadata, op: str, state: Metadata, changes: Sequence[Mapping[str, Any]], scrub: Scrubber
) -> dict[str, Any]:
    told = [_told(change, scrub) for change in changes[:_MOST_CHANGES]]
    if rest := changes[_MOST_CHANGES:]:
        fingerprint = _fingerprint([_told(change, scrub) for change in rest])
        told.append({"path": f"({len(rest)} more)", "kind": "changed", "before": None, "after": fingerprint})
    return {
        "urn": metadata["urn"],
        "type": metadata["type"],
        "op": op,
        "name": scrub(display_name(metadata)),
        "inputs": _clean(state.get("inputs") or {}, scrub),
        "changes": told,
    }


def _changes(metadata: Metadata, old: Metadata, new: Metadata) -> list[dict[str, Any]]:
    """Return the differences that the provider named or, where it named none, those of the inputs."""
    detailed = metadata.get("detailedDiff")
    if not detailed:
        asked, wanted = old.get("inputs") or {}, new.get("inputs") or {}
        # The same was asked for before: then it is what is there that has become another.
        return _differences(asked, wanted, metadata.get("diffs")) or _differences(
            {name: value for name, value in (old.get("outputs") or {}).items() if name in wanted}, wanted
        )
    changes = []
    for path, diff in sorted(detailed.items()):
        words = str(diff.get("diffKind") or diff.get("kind") or "update")
        sources = ("inputs", "outputs") if diff.get("inputDiff") else ("outputs", "inputs")
        before = _first(old, sources, path)
        after = _first(new, ("inputs", "outputs"), path)
        kind = _KINDS.get(words.partition("-")[0], "changed")
        changes.append({"path": path, "kind": kind, "before": before, "after": after if kind != "removed" else None})
    return changes


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Compare two sets of properties, down to their leaves; ``names`` limits it to these of the first level."""
    wanted = None if names is None else set(names)
    mine, theirs = ({p: v for p, v in _leaves(side) if wanted is None or _top(p) in wanted} for side in (before, after))
    changes = []
    for path in sorted(mine.keys() | theirs.keys()):
        if mine.get(path) != theirs.get(path):
            kind = "added" if path not in mine else "removed" if path not in theirs else "changed"
            changes.append({"path": path, "kind": kind, "before": mine.get(path), "after": theirs.get(path)})
    return changes


def _leaves(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            if name != "__defaults":
                step = name if _SEGMENT.fullmatch(name) and not name.startswith("[") else f"[{json.dumps(name)}]"
                yield from _leaves(part, f"{path}.{step}" if path and not step.startswith("[") else path + step)
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from _leaves(part, f"{path}[{index}]")
    elif value is not None:
        yield path, value


def _segments(path: str) -> list[str | int]:
    return [int(index) if index else quoted or plain for quoted, index, plain in _SEGMENT.findall(path)]


def _top(path: str) -> str:
    return str(next(iter(_segments(path)), ""))


def _first(state: Metadata, sources: Iterable[str], path: str) -> Any:
    """Look a property up in the first of a state's parts that has it."""
    for source in sources:
        value: Any = state.get(source) or {}
        for segment in _segments(path):
            if isinstance(value, Mapping):
                value = value.get(str(segment))
            elif isinstance(value, list) and isinstance(segment, int) and segment < len(value):
                value = value[segment]
            else:
                value = None
        if value is not None:
            return value
    return None


def _told(change: Mapping[str, Any], scrub: Scrubber) -> dict[str, Any]:
    names = [str(segment) for segment in _segments(change["path"])]
    before, after = (_clean_named(names, change[side], scrub) for side in ("before", "after"))
    return {"path": scrub(change["path"]), "kind": change["kind"], "before": before, "after": after}


def _clean_named(names: Sequence[str], value: Any, scrub: Scrubber) -> Any:
    if any(_SECRET_NAME.search(name) for name in names) and value is not None and not isinstance(value, bool):
        return MASK
    return _clean(value, scrub, is_public=not _PUBLIC_NAMES.isdisjoint(names))


def _clean(value: Any, scrub: Scrubber, *, is_public: bool = False, depth: int = 0) -> Any:
    """Mask what is secret, cut what is long; what was cut is still told apart, by its digest."""
    if isinstance(value, str):
        text = scrub.known(value) if is_public else scrub(value)
        if _UNKNOWN in value:
            return _UNTOLD
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… [{_fingerprint(text)}]"
    if depth >= _DEEPEST and isinstance(value, Mapping | list):
        return f"[{_fingerprint(_shallow(value, scrub))}]"
    if isinstance(value, Mapping):
        return _clean_mapping(value, scrub, is_public=is_public, depth=depth)
    if isinstance(value, list):
        items = [_clean(item, scrub, is_public=is_public, depth=depth + 1) for item in value]
        rest = items[_MOST_ITEMS:]
        return [*items[:_MOST_ITEMS], f"({len(rest)} more) [{_fingerprint(rest)}]"] if rest else items
    return value


def _clean_mapping(value: Mapping[str, Any], scrub: Scrubber, *, is_public: bool, depth: int) -> dict[str, Any]:
    # ``{name: RCON_PASSWORD, value: …}`` is a secret just as ``{RCON_PASSWORD: …}`` is.
    is_named_secret = bool(_SECRET_NAME.search(str(value.get("name", "")))) and "value" in value
    cleaned: dict[str, Any] = {}
    for name, part in value.items():
        if name == "__defaults" or part is None:
            continue
        is_secret = bool(_SECRET_NAME.search(name)) or (is_named_secret and name == "value")
        if is_secret and not isinstance(part, bool):
            cleaned[scrub(name)] = MASK
        else:
            public = is_public or name in _PUBLIC_NAMES
            cleaned[scrub(name)] = _clean(part, scrub, is_public=public, depth=depth + 1)
    if len(cleaned) <= _MOST_ITEMS:
        return cleaned
    ordered = sorted(cleaned.items())
    rest = ordered[_MOST_ITEMS:]
    return {**dict(ordered[:_MOST_ITEMS]), "…": f"({len(rest)} more) [{_fingerprint(rest)}]"}


def _shallow(value: Any, scrub: Scrubber) -> str:
    return scrub(json.dumps(value, sort_keys=True, default=str))


def _fingerprint(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return f"sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
