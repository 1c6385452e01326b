"""Alert rules as data, and the text of ``rules.yml``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.platform.observability.layout import to_yaml
from components.specs.platform.observability import ObservabilitySpec, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert.

    Attributes:
        minutes: how long it has to be true; 0 fires at once.
        summary: what is wrong, in one sentence. It holds no measured value, because it is what the staff's alert says,
            and another sentence takes an acknowledgement back.
        description: more, with the measured value if it helps.
        runbook: the name of a file in ``docs/runbooks``, without its ending.
    """

    name: str
    expression: str
    severity: Severity
    summary: str
    description: str
    runbook: str
    minutes: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, runbooks_url: str) -> dict[str, Any]:
        """Return the rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            **({"for": f"{self.minutes}m"} if self.minutes else {}),
            "labels": {"severity": self.severity.value, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{runbooks_url.rstrip('/')}/{self.runbook}.md",
            },
        }


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated together."""

    name: str
    rules: Sequence[Rule]


def rules(spec: ObservabilitySpec, groups: Iterable[RuleGroup]) -> str:
    """Return the text of ``rules.yml``."""
    documents = [
        {"name": group.name, "rules": [rule.document(str(spec.runbooks_url)) for rule in group.rules]}
        for group in groups
    ]
    return to_yaml({"groups": documents})
