"""What a fault is and which request it hits. No I/O, no framework."""

import asyncio
import itertools
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  # answered with `status` and `message`; the service does nothing
    LOCK = "lock"  # Proxmox's "can't lock file" for the guest in the path, as HTTP 500
    LATE_ERROR = "late_error"  # the service does its work, then answers `status` and `message`
    LOSE_ANSWER = "lose_answer"  # the service does its work, then the connection breaks
    FREEZE = "freeze"  # no answer until the fault is removed, then the request goes on
    DELAY = "delay"  # the answer comes `seconds` late
    TASK_ERROR = "task_error"  # Proxmox, Hetzner Cloud: accepted, but the task or action ends with `message`
    TASK_STUCK = "task_stuck"  # Hetzner Cloud: accepted, but the action runs until the fault is removed


class Fault(BaseModel):
    """One rule. ``where`` names a node ("*" for all); ``method`` and ``path`` are shell patterns.

    The first ``after`` requests that it would hit pass, as if the rule were not there yet.

    For :attr:`FaultKind.TASK_ERROR` the pattern in ``path`` is for the task's type (``qmclone``, ``vzcreate``,
    ``qm*``) or the action's command (``create_server``), and ``leave_guest`` keeps what is half made, as a crash would.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    where: str = "*"
    method: str = "*"
    path: str = "*"
    times: Annotated[int, Field(ge=1)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    status: Annotated[int, Field(ge=400, le=599)] = 500
    message: Annotated[str, Field(max_length=500)] = "fault caused by the lab"
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0.0
    leave_guest: bool = False
    id: int = 0
    hits: int = 0

    _passed: int = PrivateAttr(default=0)
    _removed: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    def matches(self, where: str, method: str, path: str) -> bool:
        """Whether the rule is for this node, method and path (or task type), and is not used up."""
        return (
            not self.used_up
            and fnmatchcase(where, self.where)
            and fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
        )

    @property
    def used_up(self) -> bool:
        """Whether the rule has hit as often as it was to."""
        return self.times is not None and self.hits >= self.times

    def lets_pass(self) -> bool:
        """Whether a request that matches is one of the first, which pass; counts it."""
        if self._passed < self.after:
            self._passed += 1
            return True
        return False

    async def removed(self) -> None:
        """Wait until somebody removes the rule."""
        await self._removed.wait()

    def release(self) -> None:
        """Let every request go on that waits for the rule's removal."""
        self._removed.set()


class FaultTable:
    """The rules of one stand-in, in the order in which they were added. For one event loop only."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        """Take in a rule and give it its number."""
        fault.id = next(self._ids)
        fault.hits = 0
        self._faults[fault.id] = fault
        return fault

    def all(self) -> list[Fault]:
        """Every rule, used up or not, so that a test can read how often each hit."""
        return list(self._faults.values())

    def remove(self, number: int) -> bool:
        """Forget a rule and let frozen requests go on. False if there is no such rule."""
        fault = self._faults.pop(number, None)
        if fault is not None:
            fault.release()
        return fault is not None

    def clear(self) -> None:
        """Forget every rule."""
        for number in list(self._faults):
            self.remove(number)

    def take(self, kinds: frozenset[FaultKind], where: str, method: str, path: str) -> Fault | None:
        """The first rule of these kinds that hits, counted as a hit; None if all is well."""
        for fault in self._faults.values():
            if fault.kind in kinds and fault.matches(where, method, path) and not fault.lets_pass():
                fault.hits += 1
                return fault
        return None


REQUEST_KINDS = frozenset(FaultKind) - {FaultKind.TASK_ERROR, FaultKind.TASK_STUCK}
"""The kinds that hit a request; the rest hit a task."""
