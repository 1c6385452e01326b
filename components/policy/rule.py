"""What a rule is, and what becomes of asking it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from components.plans import PlanDocument
from components.policy.context import PolicyContext

Check = Callable[[PlanDocument, PolicyContext], Iterator[str]]
"""Yields a sentence for each thing that is wrong; nothing if all is well."""


class Severity(StrEnum):
    """What follows when a rule is broken."""

    MANDATORY = "mandatory"
    """The plan is refused."""
    ADVISORY = "advisory"
    """Whoever approves the plan is told."""


class Scope(StrEnum):
    """How much of a plan a rule has to see."""

    STEP = "step"
    """Each resource can be judged on its own, so a policy pack stops it before it is touched."""
    PLAN = "plan"
    """All resources together."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule.

    Attributes:
        name: stable; letters and hyphens.
        meaning: what it asks for, in a sentence.
        check: finds what is wrong.
    """

    name: str
    meaning: str
    check: Check
    severity: Severity = Severity.MANDATORY
    scope: Scope = Scope.STEP


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule says of one plan.

    Attributes:
        message: a sentence for a person; empty if there is nothing to say.
        skipped: it could not be asked for lack of a fact. The service never skips; a policy pack by hand may.
    """

    rule: str
    severity: Severity
    passed: bool
    message: str = ""
    skipped: bool = False

    @property
    def refuses(self) -> bool:
        """Whether the plan may not be applied."""
        return not self.passed and self.severity is Severity.MANDATORY

    def document(self) -> dict[str, Any]:
        """Return the result as it is stored with a plan."""
        fields = {"rule": self.rule, "severity": self.severity.value, "passed": self.passed, "message": self.message}
        return {**fields, "skipped": True} if self.skipped else fields
