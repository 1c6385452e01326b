"""The fork server: ``python -m automation.engine.host --socket PATH --parent PID --preload MODULE``.

Importing the provider SDKs takes seconds, forking a process that has them imported takes milliseconds. This process
imports them once and forks a child for each engine operation. It starts no thread and no gRPC, for neither survives
a fork; it holds no secret, for the child itself reads its request; and it outlives nothing: once its parent is gone
it takes no more requests, waits for the children at work, which it never kills, and ends.
"""

import argparse
import errno
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from automation.engine import child
from automation.engine.process import become_subreaper, session_members

READY = b"ready\n"
_BACKLOG = 64
_logger = logging.getLogger("slipway.engine.host")


class Host:
    """Accepts connections on a Unix socket and forks a child for each."""

    def __init__(self, path: Path, parent: int) -> None:
        """Listen at ``path`` (mode 0600) for as long as the process ``parent`` lives."""
        self._children: dict[int, socket.socket] = {}
        self._path = path
        self._listener: socket.socket | None = socket.socket(socket.AF_UNIX)
        os.umask(0o077)
        self._listener.bind(str(path))
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._wake, waker = socket.socketpair()
        self._wake.setblocking(False)  # noqa: FBT003 - the standard library's signature
        waker.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._reap)
        self._parent = _watch(parent)
        self._selector.register(self._parent, selectors.EVENT_READ, self._close)
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)

    def serve(self) -> None:
        """Fork children until the parent is gone and the last child has ended; blocks."""
        while self._listener is not None or self._children:
            for key, _ in self._selector.select():
                key.data()
            if self._stopping:
                self._close()

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True  # the wake-up descriptor ends the wait

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(True)  # noqa: FBT003 - the standard library's signature
        if _peer_user(connection) != os.geteuid():
            connection.close()
            return
        try:
            pid = os.fork()
        except OSError as error:
            _logger.warning("cannot fork: %s", error.strerror)
            connection.close()
            return
        if pid == 0:
            self._become_child(connection)
        self._children[pid] = connection

    def _become_child(self, connection: socket.socket) -> NoReturn:
        """Let go of everything that is the host's, and never return into its loop."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            keep = connection.detach()
            os.closerange(3, keep)
            os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX") if keep < 1024 else keep + 4096)  # noqa: PLR2004 - few are open
            code = child.main(socket.socket(fileno=keep))
        except BaseException:
            _logger.exception("engine child failed")
        finally:
            with suppress(Exception):
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        """Collect ended children, tell their callers, and end what a dead leader left in its session."""
        with suppress(BlockingIOError):
            self._wake.recv(4096)
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            connection = self._children.pop(pid, None)
            if connection is None:
                continue  # an orphan of a killed child
            for orphan in list(session_members(pid)):
                with suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
            report = {"exit": os.waitstatus_to_exitcode(status), "cpu_seconds": usage.ru_utime + usage.ru_stime}
            with suppress(OSError), connection:
                connection.sendall(json.dumps(report).encode() + b"\n")

    def _close(self) -> None:
        """Take no more requests: the worker that asked for them is gone."""
        if self._listener is not None:
            self._selector.unregister(self._parent)
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
            self._path.unlink(missing_ok=True)


def _watch(pid: int) -> int:
    """Return a descriptor that becomes readable when the process ends.

    A pidfd and not the end of a pipe: the worker forks too, and its children would hold the pipe open.
    """
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno == errno.ESRCH:
            sys.exit(0)
        raise


def _peer_user(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    user: int = struct.unpack("3i", credentials)[1]
    return user


def _preload(modules: list[str]) -> None:
    """Import what children will need.

    Raises:
        RuntimeError: if that started a thread: it would be missing, perhaps with a lock held, in every child.
    """
    for module in modules:
        importlib.import_module(module)
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1 or threading.active_count() != 1:
        raise RuntimeError(f"importing {', '.join(modules)} started {threads - 1} thread(s), which no fork survives")
    gc.collect()
    gc.freeze()  # keeps the collector from writing to, and so copying, the pages that children share


def main() -> None:
    """Run the host until its parent is gone."""
    parser = argparse.ArgumentParser(description="Fork server for engine operations")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--preload", action="append", default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_subreaper()
    _preload(options.preload)
    host = Host(options.socket, options.parent)
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    host.serve()


if __name__ == "__main__":
    main()
