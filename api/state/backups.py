"""A stack's backups, and the way back to one of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from api.errors import Conflict, InvalidInput
from api.state.checkpoint import read_checkpoint
from api.state.errors import StateCorrupt
from api.state.integrity import faults
from api.state.store import StateStore

_LAST_SAVE = "bak"
# One statement, so that there is no moment without a checkpoint; what stood there is kept under a name of its own.
_RESTORE = text("""
    WITH kept AS (
        INSERT INTO pulumi_state (key, data)
        SELECT CAST(:aside AS text), data FROM pulumi_state WHERE key = :checkpoint
    )
    INSERT INTO pulumi_state (key, data) SELECT :checkpoint, data FROM pulumi_state WHERE key = :source
    ON CONFLICT (key) DO UPDATE SET data = excluded.data, updated_at = now()
    RETURNING key
""")


_SET_ASIDE = text("""
    WITH kept AS (
        INSERT INTO pulumi_state (key, data)
        SELECT CAST(:aside AS text), data FROM pulumi_state WHERE key = :checkpoint
    )
    DELETE FROM pulumi_state WHERE key = :checkpoint RETURNING key
""")


@dataclass(frozen=True, slots=True)
class Backup:
    """One state that a stack can go back to.

    Attributes:
        name: ``bak`` (the state one save before the present one, perhaps in the middle of an operation), or the number
            of the operation at whose end it was written.
        at: when it was written.
        resources: how many there are in it; and how many ``pending`` operations.
        problem: why it cannot be used; empty if it can.
    """

    name: str
    at: datetime
    resources: int
    pending: int
    problem: str = ""


class StackBackups:
    """The backups that the CLI writes: one beside the checkpoint at each save, and one at the end of each operation."""

    def __init__(self, states: StateStore) -> None:
        self._states = states
        self._keys = states.keys

    def list(self, stack: str) -> list[Backup]:
        """Return a stack's backups, newest first."""
        found = [_backup(stack, name, row) for name, row in self._rows(stack)]
        return sorted(found, key=lambda backup: backup.at, reverse=True)

    def restore(self, stack: str, name: str) -> str:
        """Make a backup the stack's state; returns the key under which the former state was put aside.

        To be called while nothing works on the stack. What the backup does not know of is found by a refresh, so the
        next operation must be one.

        Raises:
            InvalidInput: if there is no such backup.
            StateCorrupt: if the backup cannot be used itself.
            Conflict: if the stack is locked.
        """
        row = dict(self._rows(stack)).get(name)
        if row is None:
            raise InvalidInput(f"from: stack {stack} has no backup {name}; `slipway state backups {stack}` lists them")
        backup = _backup(stack, name, row)
        if backup.problem:
            raise StateCorrupt(f"backup {name} of stack {stack} cannot be used: {backup.problem}", stack=stack)
        self._refuse_locked(stack)
        aside = self._aside(stack)
        parameters = {"aside": aside, "checkpoint": self._keys.checkpoint(stack), "source": row.key}
        self._states.table.query(_RESTORE, parameters)
        return aside

    def set_aside(self, stack: str) -> str:
        """Take a stack out of the state; returns the key under which its state is kept.

        To be called only where nothing is left outside of what the state describes.

        Raises:
            InvalidInput: if there is no such stack.
            Conflict: if the stack is locked.
        """
        self._refuse_locked(stack)
        aside = self._aside(stack)
        if not self._states.table.query(_SET_ASIDE, {"aside": aside, "checkpoint": self._keys.checkpoint(stack)}):
            raise InvalidInput(f"stack: the state knows no stack {stack}")
        return aside

    def _refuse_locked(self, stack: str) -> None:
        for lock in self._states.locks(stack):
            raise Conflict(
                f"stack {stack} is locked by process {lock.pid} of {lock.host}: an engine may be at work on it"
            )

    def _aside(self, stack: str) -> str:
        return f"{self._keys.backups(stack)}before-restore-{time.time_ns()}.json"

    def _rows(self, stack: str) -> Iterator[tuple[str, Row[Any]]]:
        last_save = self._states.table.row(f"{self._keys.checkpoint(stack)}.{_LAST_SAVE}")
        if last_save is not None:
            yield _LAST_SAVE, last_save
        prefix = self._keys.backups(stack)
        for row in self._states.table.below(prefix):
            yield row.key.removeprefix(prefix).removeprefix(f"{stack}.").removesuffix(".json"), row


def _backup(stack: str, name: str, row: Row[Any]) -> Backup:
    try:
        deployment = read_checkpoint(stack, row.data)
    except StateCorrupt as error:
        return Backup(name, row.updated_at, 0, 0, error.detail)
    found = faults(deployment)
    counts = len(deployment.get("resources") or []), len(deployment.get("pending_operations") or [])
    return Backup(name, row.updated_at, *counts, problem=found[0] if found else "")
