"""Tasks that take their time or fail, on demand."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from fakepve import FakePve, TaskError

from lab.faults.rules import FaultKind, FaultTable

CREATING = frozenset({"qmclone", "qmcreate", "vzcreate"})
"""Task types that make a guest."""

Body = Callable[[], Awaitable[str | None]]


class TaskFaults(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Delays every task by :attr:`task_delay` seconds and fails those that a fault names."""

    faults: FaultTable
    host_name: str
    _task_delay: float = 0.0

    @property
    def task_delay(self) -> float:
        """Seconds that each task runs before its work is done. 0: done before the request is answered."""
        return self._task_delay

    @task_delay.setter
    def task_delay(self, seconds: float) -> None:
        self._task_delay = seconds
        # At scale 0 fakepve finishes a task inside the request that starts it; at 1 it runs in the background.
        self.time_scale = 1.0 if seconds else 0.0

    def work_done(self, ttype: str, guest: Any) -> None:
        """Called when a task of this type has done its work on a guest (None for the node's own tasks)."""

    async def task(  # noqa: PLR0913, PLR0917 - fakepve's own signature
        self,
        node: str,
        ttype: str,
        tid: Any,
        user: str,
        body: Body,
        vm: Any = None,
        lock: bool = True,  # noqa: FBT001, FBT002 - fakepve's own signature
        log: Iterable[str] = (),
    ) -> str:
        """Start a task, as fakepve does, with the delay and the faults of this node around its work."""
        fault = self.faults.take(frozenset({FaultKind.TASK_ERROR}), self.host_name, "POST", ttype)

        async def delayed() -> str | None:
            await asyncio.sleep(self._task_delay)
            if fault is None:
                note = await body()
                self.work_done(ttype, vm)
                return note
            if ttype in CREATING and not fault.leave_guest:
                self.discard(vm)
            raise TaskError(fault.message)

        return str(await super().task(node, ttype, tid, user, delayed, vm=vm, lock=lock, log=log))
