"""From the engine's event log to sentences that a customer can read.

The log is what ``pulumi --event-log`` writes: one JSON document a line, ``sdk/go/common/apitype/events.go`` is its
schema. Its events carry whole resource states; of those only a name leaves this module.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automation.engine.contract import EngineEvent
from automation.engine.errors import classify
from automation.engine.scrub import Scrubber

_STACK_TYPE = "pulumi:pulumi:Stack"
_NOUNS = {
    "VmLegacy": "virtual machine",
    "ContainerLegacy": "container",
    "DnsRecord": "DNS record",
    "OptionsLegacy": "firewall",
    "RulesLegacy": "firewall rules",
    "IpsetLegacy": "address filter",
    "MachineClaim": "claim on machine",
    "Wipe": "wipe of machine",
    "BootProfile": "boot profile of machine",
    "Installation": "installation of machine",
}
_VERBS = {  # operation: (at work, done, in a preview)
    "create": ("Creating", "Created", "Would create"),
    "update": ("Changing", "Changed", "Would change"),
    "delete": ("Removing", "Removed", "Would remove"),
    "replace": ("Replacing", "Replaced", "Would replace"),
    "create-replacement": ("Creating the replacement of", "Created the replacement of", "Would replace"),
    "delete-replaced": ("Removing the old", "Removed the old", "Would remove the old"),
    "import": ("Adopting", "Adopted", "Would adopt"),
    "read": ("Reading", "Read", "Would read"),
}
_OWN_VERBS = {  # where a resource's operation is something else to people: the noun is in it
    ("MachineClaim", "create"): ("Claiming machine", "Claimed machine", "Would claim machine"),
    ("MachineClaim", "delete"): ("Giving back machine", "Gave back machine", "Would give back machine"),
    ("Wipe", "create"): (
        "Scheduling the last wipe of",
        "Scheduled the last wipe of",
        "Would schedule the last wipe of",
    ),
    ("Wipe", "delete"): ("Wiping machine", "Wiped machine", "Would wipe machine"),
    ("Installation", "create"): ("Installing machine", "Installed machine", "Would install machine"),
    ("Installation", "delete"): ("Switching off machine", "Switched off machine", "Would switch off machine"),
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME = re.compile(r"[\w .:@/-]{1,120}")
_NOISE = re.compile(r"using pulumi-\S+ from \$PATH|^\s*$")


@dataclass(slots=True)
class RunSummary:
    """What an event log says once it is complete.

    Attributes:
        outputs: the root stack's outputs; secrets in them are masked by the engine.
        changes: number of resource steps by kind.
        failed: metadata of each step that failed.
        diagnostics: texts of the errors, in the engine's own words.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    failed: list[Mapping[str, Any]] = field(default_factory=list)
    diagnostics: list[str] = field(default_factory=list)

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take one engine event into account."""
        if outputs := event.get("resOutputsEvent"):
            metadata = outputs["metadata"]
            if metadata["type"] == _STACK_TYPE:
                self.outputs = dict((metadata.get("new") or {}).get("outputs") or {})
        elif failed := event.get("resOpFailedEvent"):
            self.failed.append(failed["metadata"])
        elif diagnostic := event.get("diagnosticEvent"):
            if diagnostic["severity"] == "error":
                self.diagnostics.append(_plain(diagnostic["message"]))
        elif summary := event.get("summaryEvent"):
            self.changes = {key: int(number) for key, number in (summary.get("resourceChanges") or {}).items()}


class Narrator:
    """Turns engine events into ``EngineEvent`` values, one after the other, for one engine run."""

    def __init__(self, scrubber: Scrubber, clock: Callable[[], float]) -> None:
        """Tell the secrets that must never be shown, and a clock in seconds to measure steps by."""
        self._scrub = scrubber
        self._clock = clock
        self._sequence = 0
        self._began: dict[tuple[str, str], float] = {}
        self._tellers: Mapping[str, Callable[[Mapping[str, Any]], EngineEvent | None]] = {
            "remark": self._remark,
            "resourcePreEvent": self._begun,
            "resOutputsEvent": self._done,
            "resOpFailedEvent": self._not_done,
            "diagnosticEvent": self._diagnostic,
            "summaryEvent": self._summary,
        }

    def remark(self, message: str, **data: Any) -> EngineEvent:
        """Say something of our own."""
        return self._event("engine", message, data)

    def tell(self, event: Mapping[str, Any]) -> EngineEvent | None:
        """Turn one engine event into a sentence, or None where there is nothing that a customer needs to know."""
        for name, tell in self._tellers.items():
            if (payload := event.get(name)) is not None:
                return tell(payload)
        return None

    def _remark(self, payload: Mapping[str, Any]) -> EngineEvent:
        return self.remark(str(payload["message"]), **payload.get("data", {}))

    def _begun(self, payload: Mapping[str, Any]) -> EngineEvent | None:
        return self._step(payload["metadata"], "begun", planning=payload.get("planning", False))

    def _done(self, payload: Mapping[str, Any]) -> EngineEvent | None:
        return self._step(payload["metadata"], "done", planning=payload.get("planning", False))

    def _not_done(self, payload: Mapping[str, Any]) -> EngineEvent | None:
        return self._step(payload["metadata"], "failed", planning=False)

    def _step(self, metadata: Mapping[str, Any], status: str, *, planning: bool) -> EngineEvent | None:
        operation, kind, urn = metadata["op"], metadata["type"], metadata["urn"]
        own = _OWN_VERBS.get((kind.rpartition(":")[2], operation))
        verbs = own or _VERBS.get(operation)
        if verbs is None or not is_external(metadata) or (planning and status == "done"):
            return None
        thing = " ".join(filter(None, ("" if own else noun(kind), display_name(metadata))))
        data: dict[str, Any] = {"urn": urn, "type": kind, "op": operation, "status": status}
        if planning:
            return self._event("resource", f"{verbs[2]} {thing}", data)
        if status == "begun":
            self._began[urn, operation] = self._clock()
            return self._event("resource", f"{verbs[0]} {thing}", data)
        seconds = round(self._clock() - self._began.pop((urn, operation), self._clock()), 1)
        data["seconds"] = seconds
        if status == "failed":
            return self._event("resource", f"{verbs[0]} {thing} failed", data)
        return self._event("resource", f"{verbs[1]} {thing} ({seconds:.1f} s)", data)

    def _diagnostic(self, diagnostic: Mapping[str, Any]) -> EngineEvent | None:
        severity, text = diagnostic["severity"], _plain(diagnostic["message"])
        if severity not in {"error", "warning"} or _NOISE.search(text):
            return None
        data = {"severity": severity, "urn": diagnostic.get("urn", ""), "detail": text}
        if severity == "warning":
            return self._event("diagnostic", text.splitlines()[0], data)
        failure = classify(text, self._scrub)
        return self._event("diagnostic", failure.message, {**data, "code": failure.code})

    def _summary(self, summary: Mapping[str, Any]) -> EngineEvent:
        counts = {key: number for key, number in (summary.get("resourceChanges") or {}).items() if key != "same"}
        words = (
            ", ".join(
                f"{number} to {key}" if summary.get("isPreview") else f"{key} {number}"
                for key, number in sorted(counts.items())
            )
            or "nothing to change"
        )
        seconds = summary.get("durationSeconds", 0)
        return self._event("summary", f"Finished: {words}", {"changes": counts, "seconds": seconds})

    def _event(self, kind: str, message: str, data: Mapping[str, Any]) -> EngineEvent:
        self._sequence += 1
        clean = {key: self._scrub(value) if isinstance(value, str) else value for key, value in data.items()}
        return EngineEvent(self._sequence, kind, self._scrub(message), clean)


def noun(kind: str) -> str:
    """Return a word for a type token: ``proxmoxve:index/vmLegacy:VmLegacy`` is a ``virtual machine``."""
    name = kind.rpartition(":")[2]
    return _NOUNS.get(name) or " ".join(word if word.isupper() else word.lower() for word in _WORDS.findall(name))


def display_name(metadata: Mapping[str, Any]) -> str:
    """Return the name a customer knows a resource by: its own where it has one, else the program's."""
    state = metadata.get("new") or metadata.get("old") or {}
    inputs = state.get("inputs") or {}
    initialization = inputs.get("initialization")
    hostname = initialization.get("hostname") if isinstance(initialization, dict) else None
    own = metadata["type"].rpartition(":")[2] in _NOUNS  # for these the program's name would tell nobody anything
    for name in (inputs.get("name"), hostname, "" if own else metadata["urn"].rpartition("::")[2]):
        if isinstance(name, str) and _NAME.fullmatch(name):
            return name
    return ""


def is_external(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a step touches anything outside: components, providers and the stack itself do not."""
    state = metadata.get("new") or metadata.get("old") or {}
    return bool(state.get("custom")) and not metadata["type"].startswith("pulumi:")


_MARKUP = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")


def _plain(text: str) -> str:
    """Strip the engine's colour marks (``<{%reset%}>``) and terminal escapes."""
    return _MARKUP.sub("", text).strip()
