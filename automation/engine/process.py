"""Identity, liveness and ending of engine processes, read from ``/proc``.

An engine operation is a *session*: its leader is the child that the host forked, and the CLI and the provider
plugins are in it too. The CLI puts each plugin into a process group of its own, so killing a process group would
leave a plugin at work; nothing in the tree ever leaves the session.
"""

import ctypes
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from automation.engine.contract import EngineProcess

_PROC = Path("/proc")
_POLL_SECONDS = 0.02
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class Stat(NamedTuple):
    """The fields of ``/proc/PID/stat`` that matter here (proc(5): fields 3, 6 and 22)."""

    state: str
    session: int
    started_at_ticks: int

    @property
    def is_zombie(self) -> bool:
        """A zombie holds a number in the table and does nothing more."""
        return self.state in {"Z", "X"}


@cache
def boot_id() -> str:
    """Return the kernel's random id of this boot: start ticks count from it."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def read_stat(pid: int) -> Stat | None:
    """Read a process's entry, or None if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the second field, the name, may hold anything but is in parentheses
    return Stat(fields[0], int(fields[3]), int(fields[19]))


def identify(pid: int) -> EngineProcess:
    """Return the identity of a process of this host.

    Raises:
        ProcessLookupError: if there is no such process.
    """
    stat = read_stat(pid)
    if stat is None:
        raise ProcessLookupError(pid)
    return EngineProcess(socket.gethostname(), boot_id(), pid, stat.started_at_ticks)


def session_members(leader: int) -> Iterator[int]:
    """Yield the living processes of the session that ``leader`` began, the leader among them."""
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            stat = read_stat(int(entry.name))
            if stat is not None and stat.session == leader and not stat.is_zombie:
                yield int(entry.name)


def is_alive(process: EngineProcess) -> bool | None:
    """Tell whether any process of an engine operation still lives; None if it ran on another host.

    A dead leader is not enough: a provider plugin that outlives it may still be creating a guest.
    """
    if process.host != socket.gethostname():
        return None
    if process.boot_id != boot_id():
        return False
    leader = read_stat(process.pid)
    if leader is not None:
        if leader.started_at_ticks != process.started_at_ticks:
            return False  # the kernel gives a number away again only once no session bears it
        if not leader.is_zombie:
            return True
    return any(True for _ in session_members(process.pid))


def interrupt(process: EngineProcess) -> None:
    """Ask an engine's leader to stop after the step it is at."""
    with suppress(ProcessLookupError):
        if identify(process.pid) == process:
            os.kill(process.pid, signal.SIGINT)


def kill_session(process: EngineProcess, timeout: float = 10.0) -> bool:
    """Kill every process of an engine operation; True once none is left.

    Blocks up to ``timeout`` seconds: a process in an uninterruptible system call dies only when that returns.
    """
    deadline = time.monotonic() + timeout
    while is_alive(process):
        # All at once: one that saw another die would begin to tidy up, and be killed in the middle of that.
        for pid in list(session_members(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def become_subreaper() -> None:
    """Make this process the parent of its orphaned descendants, so that it can end them and wait for them.

    Raises:
        OSError: if the kernel refuses (Linux before 3.4).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
