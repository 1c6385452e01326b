"""Keeps one service: runs it as a child, and takes its whole process tree down when told to or left alone.

``python -m automation.embedded.keeper [--stop-signal NAME] [--grace SECONDS] [--user NAME] -- COMMAND…``

Standard input is the lifeline. Its end means that the supervisor is gone, however it died (SIGKILL included), and
is the same as SIGTERM. On Linux the keeper is the reaper of its tree's orphans (``PR_SET_CHILD_SUBREAPER``,
prctl(2)), so a daemon that forked twice, or an engine in a session of its own, is still found and ended.
"""

import argparse
import ctypes
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_TERMINATE_SECONDS = 5.0
"""At most this long between asking what is left of the tree to end and killing it."""
_POLL_SECONDS = 0.05
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
_SIGNAL_EXIT_BASE = 128


class Keeper:
    """One child and everything that comes of it."""

    def __init__(self, command: Sequence[str], *, stop_signal: signal.Signals, grace: float, user: str | None) -> None:
        """Start the child.

        Args:
            command: the child's program and arguments.
            stop_signal: how this program is asked to end.
            grace: seconds until what has not ended is ended by force.
            user: whose rights the child gets; None keeps ours.
        """
        self._stop_signal = stop_signal
        self._grace = grace
        self._wakeups = _wake_on_signals()
        become_subreaper()
        # The child may have a lifeline of its own on standard input: the pipe ends with us.
        self._child = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, start_new_session=True, user=user, group=user
        )
        self._status: int | None = None

    def run(self) -> int:
        """Wait for the child's end or for ours; return the exit status to give once nothing of the tree is left."""
        stopped = self._wait_for_end_or_stop()
        if stopped and self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self._child.pid, self._stop_signal)
            self._wait_until_gone(time.monotonic() + self._grace)
        self._end_tree()
        if stopped:
            return 0
        status = self._status or 0
        return status if status >= 0 else _SIGNAL_EXIT_BASE - status

    def _wait_for_end_or_stop(self) -> bool:
        """Block until the child ends (False) or a signal or the end of standard input says stop (True)."""
        with selectors.DefaultSelector() as selector:
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
            selector.register(self._wakeups, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    received = os.read(key.fd, 4096)
                    if not received if key.fd == sys.stdin.fileno() else set(received) - {signal.SIGCHLD}:
                        return True
                self._reap()
                if self._status is not None:
                    return False

    def _wait_until_gone(self, deadline: float) -> bool:
        """Wait until the child and its tree have ended; False at the deadline."""
        while True:
            self._reap()
            if self._status is not None and not psutil.Process().children():
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def _end_tree(self) -> None:
        """Ask what is left to end, then kill; returns when the last process is gone."""
        _signal_descendants(signal.SIGTERM)
        deadline = time.monotonic() + min(self._grace, _TERMINATE_SECONDS)
        while not self._wait_until_gone(deadline):
            _signal_descendants(signal.SIGKILL)
            deadline = time.monotonic() + _POLL_SECONDS

    def _reap(self) -> None:
        """Collect every ended child, adopted ones too, and note the status of our own."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._child.pid:
                    self._status = os.waitstatus_to_exitcode(status)


def _signal_descendants(number: signal.Signals) -> None:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def become_subreaper() -> None:
    """Have orphans of this process's tree become its children; does nothing where the kernel has no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wake_on_signals() -> socket.socket:
    """Return a socket from which each caught signal's number can be read."""
    reader, writer = socket.socketpair()
    writer.settimeout(0)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)
    return reader


def main() -> int:
    """Run a keeper as the command line says."""
    parser = argparse.ArgumentParser(description="Keeps one service and its process tree.")
    parser.add_argument("--stop-signal", default="SIGTERM")
    parser.add_argument("--grace", type=float, default=10.0)
    parser.add_argument("--user")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    keeper = Keeper(given.command, stop_signal=signal.Signals[given.stop_signal], grace=given.grace, user=given.user)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
