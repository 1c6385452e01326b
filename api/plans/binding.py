"""What a plan is bound to besides its steps: an approval counts for exactly this. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from api.plans.document import PlanDocument, digest


@dataclass(frozen=True, slots=True)
class Binding:
    """The circumstances in which a plan was made; prices are cents a month.

    Attributes:
        generation: of the workload's desired state.
        start_digest: of the stack's state; None if there was no stack.
        versions: of program, CLI and plugins.
    """

    generation: int
    start_digest: str | None
    versions: Mapping[str, Any]
    price_before_cents: int
    price_after_cents: int
    currency: str

    def hash(self, document: PlanDocument) -> str:
        """Return the plan's hash: the SHA-256 of its steps and of all that they are bound to."""
        return digest({"binding": asdict(self), "steps": document.model_dump(mode="json")["steps"]})

    def moved_to(self, now: "Binding") -> str | None:
        """Say in a sentence what differs by ``now``, or None if nothing does."""
        if self.generation != now.generation:
            return "something else is wanted of the workload by now"
        if self.start_digest != now.start_digest:
            return "the stack's state has changed since the preview"
        if dict(self.versions) != dict(now.versions):
            return "the program or a plugin has been updated since the preview"
        if self.prices != now.prices:
            return "the price has changed since the preview"
        return None

    def replace(self, **changes: Any) -> "Binding":
        """Return a copy with other circumstances."""
        return replace(self, **changes)

    @property
    def prices(self) -> tuple[int, int, str]:
        """Before, after, currency."""
        return self.price_before_cents, self.price_after_cents, self.currency
