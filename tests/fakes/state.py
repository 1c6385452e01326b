"""States of stacks without a database. Passes the same contract test as the real store."""

import copy
from typing import Any

from api.state.checkpoint import meaning
from api.state.errors import StateCorrupt
from api.state.store import StackLock
from tests.fakes.engine import FakeEngine


class FakeStateStore:
    """A ``StackStates`` in memory.

    Args:
        engine: a fake engine whose stacks have a state of one resource, with their spec as its inputs.

    Attributes:
        deployments: by stack; what a test puts here goes before the engine's.
        corrupt: names of stacks whose state cannot be read.
        held: the locks that there are.
    """

    def __init__(self, engine: FakeEngine | None = None) -> None:
        self._engine = engine
        self.deployments: dict[str, dict[str, Any]] = {}
        self.corrupt: set[str] = set()
        self.held: list[StackLock] = []

    def digest(self, stack: str) -> str | None:
        """Return the SHA-256 of what a stack's state means."""
        deployment = self.deployment(stack)
        return None if deployment is None else meaning(deployment)

    def deployment(self, stack: str) -> dict[str, Any] | None:
        """Return a copy of a stack's deployment."""
        if stack in self.corrupt:
            raise StateCorrupt(f"the state of stack {stack} cannot be read", stack=stack)
        if stack in self.deployments:
            return copy.deepcopy(self.deployments[stack])
        made = None if self._engine is None else self._engine.stacks.get(stack)
        if made is None:
            return None
        if made.spec is None:
            return {}
        urn = f"urn:pulumi:{stack}::slipway::slipway:fake:Workload::{stack}"
        return {"resources": [{"urn": urn, "type": "slipway:fake:Workload", "inputs": dict(made.spec)}]}

    def locks(self, stack: str = "") -> list[StackLock]:
        """Return a stack's locks."""
        return [lock for lock in self.held if stack in {"", lock.stack}]

    def edit(self, stack: str, **inputs: Any) -> None:
        """Change inputs of a stack's first resource, as somebody does by hand."""
        deployment = self.deployment(stack)
        assert deployment is not None
        deployment["resources"][0].setdefault("inputs", {}).update(inputs)
        self.deployments[stack] = deployment
