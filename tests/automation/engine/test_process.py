"""Identity and end of processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from automation.engine.contract import EngineProcess
from automation.engine.process import identify, is_alive, kill_session, session_members

# A leader with a child in a process group of its own, as the CLI has its plugins; the leader ends when told to.
TREE = """
import os, sys, time
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    print("ready", flush=True)
    time.sleep(600)
sys.stdin.readline()
os._exit(0)
"""


@pytest.fixture
def tree() -> Iterator[tuple[subprocess.Popen[str], EngineProcess]]:
    """Return a session of two processes."""
    process = subprocess.Popen(
        [sys.executable, "-c", TREE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    identity = identify(process.pid)
    yield process, identity
    kill_session(identity)
    process.communicate()


def test_this_process_is_alive_and_itself() -> None:
    """Host, boot, number and start time; its session's leader may be outside a container's process namespace."""
    assert is_alive(identify(os.getpid())) is True


def test_a_session_outlives_its_leader(tree: tuple[subprocess.Popen[str], EngineProcess]) -> None:
    """A plugin may still be creating a guest when the process that was started is long gone."""
    process, identity = tree

    assert process.stdin is not None
    process.stdin.write("end\n")
    process.stdin.flush()
    process.wait()

    assert is_alive(identity) is True
    assert len(list(session_members(identity.pid))) == 1


def test_all_of_a_session_is_killed(tree: tuple[subprocess.Popen[str], EngineProcess]) -> None:
    """Process groups of their own do not protect anybody."""
    process, identity = tree
    assert len(list(session_members(identity.pid))) == 2

    assert kill_session(identity) is True

    process.wait()
    assert is_alive(identity) is False


@pytest.mark.parametrize(
    ("changes", "alive"),
    [({"host": "another"}, None), ({"boot_id": "another"}, False), ({"started_at_ticks": 1}, False)],
)
def test_another_host_boot_or_start_is_another_process(
    tree: tuple[subprocess.Popen[str], EngineProcess], changes: dict[str, object], *, alive: bool | None
) -> None:
    """Of another host nothing is known; after a restart, or with another start time, it is dead."""
    _, identity = tree

    assert is_alive(replace(identity, **changes)) is alive  # type: ignore[arg-type]  # the table is of mixed types
