"""Policy as staff see it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.policy.settings import CurrentPolicy, PolicySettings
from components.policy.rule import Scope, Severity
from components.policy.rules import RULES


class RuleView(BaseModel):
    """A rule that every plan is judged by."""

    name: str
    meaning: str
    severity: Severity
    scope: Scope


class PolicyView(BaseModel):
    """The policy in force; ``version`` 0 are the shipped defaults, which nobody set."""

    version: int
    settings: PolicySettings
    set_by: UUID | None
    reason: str
    at: datetime | None
    rules: tuple[RuleView, ...]

    @classmethod
    def of(cls, policy: CurrentPolicy) -> "PolicyView":
        """Show a policy and the rules that it belongs to."""
        rules = tuple(
            RuleView(name=rule.name, meaning=rule.meaning, severity=rule.severity, scope=rule.scope) for rule in RULES
        )
        return cls(
            version=policy.version,
            settings=policy.settings,
            set_by=policy.set_by,
            reason=policy.reason,
            at=policy.at,
            rules=rules,
        )


class PolicyRequest(BaseModel):
    """New settings, all of them; ``version`` is the one that was looked at, so that no other change is overwritten."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0, le=2_000_000_000)]
    settings: PolicySettings
    reason: Annotated[str, Field(min_length=3, max_length=500)]
