"""Whose lock is it? People at a terminal work on the same stacks; what they hold is never taken from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from api.state.store import StackLock, StackStates
from automation.engine.rundir import started_commands


class LockedStates(StackStates, Protocol):
    """What the state says of stacks, and of who works on them."""

    def locks(self, stack: str = "") -> list[StackLock]:
        """Return a stack's locks; see ``StateStore``."""


class StackLocked(Exception):  # noqa: N818 - reads as a state
    """Somebody else holds the stack's lock; the message says who, and what to do if they are gone."""


@dataclass(frozen=True, slots=True)
class StackLocks:
    """Looks at locks for one worker.

    Attributes:
        work_root: where the runs' directories are, which know the commands that they started.
        host: this worker's own.
    """

    states: LockedStates
    work_root: Path
    host: str

    def check(self, stack: str, engine: Mapping[str, Any] | None) -> bool:
        """Tell whether the stack is locked by an engine of ours, by what is on record about that.

        Args:
            stack: whose locks.
            engine: the record of the stack's last engine. A lock of its host, where that is another one, counts as
                ours: whether that host is dead is asked elsewhere.

        Raises:
            StackLocked: if anybody else has locked it.
            StateUnavailable: if the state database does not answer.
        """
        locks = self.states.locks(stack)
        elsewhere = None if engine is None else engine["process"]["host"]
        for lock in locks:
            if lock.host == self.host:
                is_ours = any(command.took(lock.pid, lock.at) for command in started_commands(self.work_root))
            else:
                is_ours = lock.host == elsewhere
            if not is_ours:
                raise StackLocked(_words(stack, lock))
        return bool(locks)


def _words(stack: str, lock: StackLock) -> str:
    who = f"process {lock.pid} on {lock.host}" if lock.host else "somebody"
    return (
        f"The stack is locked by {who} since {lock.at:%Y-%m-%d %H:%M} UTC: most likely by pulumi at a terminal. "
        f"The run goes on by itself once they are done. If that process is dead, `pulumi cancel {stack}` there removes "
        "its lock; Slipway never does."
    )
