"""Reads the engine's state where the engine keeps it, without the engine: a ``pulumi`` process costs 200 times that."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Row

from api.state.checkpoint import meaning, read_checkpoint
from api.state.errors import StateCorrupt, StateUnavailable
from api.state.table import StateTable

__all__ = ["StackLock", "StackStates", "StateCorrupt", "StateStore", "StateUnavailable"]

_CHECKPOINT = ".json"


class StackStates(Protocol):
    """What the state says of stacks."""

    def digest(self, stack: str) -> str | None:
        """Return the SHA-256 of what a stack's state means, None if there is no stack.

        It is the same before and after an operation that changes nothing, and another one once anybody has changed a
        resource's inputs, outputs or id, or a pending operation.

        Raises:
            StateCorrupt: if the state cannot be read.
            StateUnavailable: if the state database does not answer.
        """

    def deployment(self, stack: str) -> dict[str, Any] | None:
        """Return a stack's deployment (``resources``, ``pending_operations``), None if there is no stack.

        Secrets in it are encrypted. Raises as ``digest`` does.
        """


@dataclass(frozen=True, slots=True)
class StackLock:
    """What an engine at work, or one that was killed, leaves: ``…/locks/organization/slipway/<stack>/<uuid>.json``.

    Attributes:
        at: when it was taken, by the state database's clock.
        host: and ``pid``: of the CLI; empty and 0 where the lock cannot be read.
    """

    key: str
    stack: str
    at: datetime
    host: str
    pid: int


class StateStore:
    """Pulumi's state, read. Each call is one short statement of about a millisecond; safe to share by threads.

    Args:
        database_url: the state's address, ``postgres://…/slipway-state``. Nothing is opened before the first call.
    """

    def __init__(self, database_url: str) -> None:
        self.table = StateTable(database_url)
        self.keys = self.table.keys

    def digest(self, stack: str) -> str | None:
        """Return the SHA-256 of what a stack's state means; see ``StackStates``."""
        deployment = self.deployment(stack)
        return None if deployment is None else meaning(deployment)

    def deployment(self, stack: str) -> dict[str, Any] | None:
        """Return a stack's deployment; see ``StackStates``."""
        row = self.table.row(self.keys.checkpoint(stack))
        return None if row is None else read_checkpoint(stack, row.data)

    def deployments(self) -> Iterator[tuple[str, dict[str, Any] | StateCorrupt]]:
        """Yield every stack with its deployment, or with why that cannot be read; 1 to 2 ms a stack."""
        prefix = self.keys.checkpoints
        for row in self.table.below(prefix):
            name = row.key.removeprefix(prefix)
            if not name.endswith(_CHECKPOINT):
                continue  # ``.json.bak``, or the stack's tags
            stack = name.removesuffix(_CHECKPOINT)
            try:
                yield stack, read_checkpoint(stack, row.data)
            except StateCorrupt as error:
                yield stack, error

    def locks(self, stack: str = "") -> list[StackLock]:
        """Return a stack's locks, or those of all stacks. A lock is no proof that its engine lives.

        Raises:
            StateUnavailable: if the state database does not answer.
        """
        prefix = self.keys.locks()
        return [_lock(row, prefix) for row in self.table.below(self.keys.locks(stack))]

    def close(self) -> None:
        """Close all pooled connections."""
        self.table.close()


def _lock(row: Row[Any], prefix: str) -> StackLock:
    stack = row.key.removeprefix(prefix).split("/")[0]
    try:
        content = json.loads(base64.b64decode(row.data["data"]))
        return StackLock(row.key, stack, row.updated_at, str(content["hostname"]), int(content["pid"]))
    except (TypeError, ValueError, KeyError):
        return StackLock(row.key, stack, row.updated_at, "", 0)
