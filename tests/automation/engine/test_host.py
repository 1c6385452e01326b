"""The fork server by itself."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from automation.engine.contract import EngineUnavailable
from automation.engine.launcher import EngineHost
from tests.fixtures.engine import until

pytestmark = pytest.mark.processes


def test_its_socket_is_private() -> None:
    """Only its owner may enter the folder or speak to it."""
    with EngineHost(preload=()) as host:
        assert host.socket.parent.stat().st_mode & 0o777 == 0o700
        assert host.socket.stat().st_mode & 0o077 == 0


def test_a_caller_that_says_nothing_costs_nothing() -> None:
    """Its child ends with it, and the host serves on."""
    with EngineHost(preload=()) as host:
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(host.socket))
                connection.shutdown(socket.SHUT_WR)
                report = connection.makefile("rb").readline()
            assert b'"exit": 0' in report


def test_it_ends_when_it_is_told_to() -> None:
    """Nothing is left: no process, no folder."""
    with EngineHost(preload=()) as host:
        folder, pid = host.socket.parent, host.pid

    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PARENT = """
import sys, time
from automation.engine.launcher import EngineHost
host = EngineHost(preload=()).start()
print(host.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    """A worker that dies of SIGKILL leaves no fork server behind."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_fork_server_that_dies_is_started_again_at_its_address() -> None:
    """The worker's processes know the address only: they go on without noticing more than a refused operation."""
    lost = threading.Event()
    with EngineHost(preload=()) as host:
        host.guard(lost.set)
        address, first = host.socket, host.pid

        os.kill(first, signal.SIGKILL)
        until(lambda: host.pid != first and _answers(address))

        assert host.socket == address
        assert not lost.is_set()


def test_a_fork_server_that_cannot_be_started_again_is_told_of(tmp_path: Path) -> None:
    """Its worker then ends, to be started anew, instead of refusing every operation."""
    (tmp_path / "gone_later.py").touch()
    lost = threading.Event()
    with EngineHost(("gone_later",), {"PYTHONPATH": str(tmp_path)}) as host:
        host.guard(lost.set)
        (tmp_path / "gone_later.py").unlink()

        os.kill(host.pid, signal.SIGKILL)

        assert lost.wait(60)


def test_a_host_that_is_stopped_is_not_started_again() -> None:
    """Its guard ends with it."""
    lost = threading.Event()
    with EngineHost(preload=()) as host:
        host.guard(lost.set)
        folder = host.socket.parent

    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "engine-host-guard"])
    assert not folder.exists()
    assert not lost.is_set()


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(address)) == 0


def test_a_module_that_cannot_be_imported_is_an_error() -> None:
    """The worker hears of it at once, not with the first order."""
    with pytest.raises(EngineUnavailable, match="error output"):
        EngineHost(preload=("no.such.module",)).start()


def test_the_client_imports_no_pulumi() -> None:
    """A Celery worker's parent must not have gRPC in it when it forks."""
    probe = "import sys, automation.engine.client, automation.engine.launcher; print('pulumi' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
