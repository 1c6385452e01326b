"""Who wants a change, and why."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Cause:
    """Travels from whoever changes what is wanted to the operation that makes it so.

    Attributes:
        by: the person's account; None for the control plane itself.
        reason: a sentence for the log and the audit trail.
        has_consent: the workload's owner agrees to lose what it holds.
        refreshes: the engine looks at what is really there before it decides what to change.
    """

    reason: str = ""
    by: UUID | None = None
    has_consent: bool = False
    refreshes: bool = False

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what ``document`` wrote; an empty one is the control plane's own doing."""
        by = document.get("by")
        return cls(**{**document, "by": None if by is None else UUID(by)})

    def document(self) -> dict[str, Any]:
        """Write the cause for the workload's row."""
        return {
            "reason": self.reason,
            "by": None if self.by is None else str(self.by),
            "has_consent": self.has_consent,
            "refreshes": self.refreshes,
        }
