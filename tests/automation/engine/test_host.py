"""The fork server by itself."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from automation.engine.contract import EngineUnavailable
from automation.engine.launcher import EngineHost
from tests.fixtures.engine import until


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


def test_a_module_that_cannot_be_imported_is_an_error() -> None:
    """The worker hears of it at once, not with the first order."""
    with pytest.raises(EngineUnavailable, match="error output"):
        EngineHost(preload=("no.such.module",)).start()


def test_the_client_imports_no_pulumi() -> None:
    """A Celery worker's parent must not have gRPC in it when it forks."""
    probe = "import sys, automation.engine.client, automation.engine.launcher; print('pulumi' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
