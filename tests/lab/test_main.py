"""The command: one process tree that starts, restarts and ends cleanly."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lab.client import start
from lab.supervisor import LabError

pytestmark = pytest.mark.processes

PATIENCE = 60.0
"""Seconds until processes that must end have ended."""


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all processes end, waiting for them."""
    return not psutil.wait_procs(processes, timeout=PATIENCE)[1]


def listening(url: str) -> bool:
    """Whether somebody takes connections at an address."""
    host, _, port = url.rpartition("//")[2].partition("/")[0].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_the_documents_are_private_and_name_what_listens(tmp_path: Path) -> None:
    """All have mode 0600; each address in them answers."""
    with start(tmp_path, nodes="game=1,bot=1,cloud=1", pool_size=10) as lab:
        for name in ("lab.json", "estate.json", "platform.env", "rescue_key"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        estate = json.loads(lab.estate_path.read_text())
        assert [node["name"] for node in estate["nodes"]] == ["game-1", "bot-1", "cloud-1"]
        assert sum(pool["family"] == 4 for pool in estate["address_pools"]) == 2
        document = lab.document
        endpoints = [node["endpoint"] for node in estate["nodes"]]
        urls = [*endpoints, document.stripe.base_url, document.cloudflare.base_url, document.proxmox.control_url]
        assert all(map(listening, urls))


def test_sigterm_ends_every_process_and_frees_every_port(tmp_path: Path) -> None:
    """Nothing of the process tree is left."""
    with start(tmp_path, nodes="bot=1") as lab:
        tree = psutil.Process(lab.process.pid).children(recursive=True)
        assert len(tree) == len(list((tmp_path / "log").iterdir()))
        url = lab.document.stripe.base_url
        lab.process.terminate()
        assert lab.process.wait(PATIENCE) == 0
        assert gone(tree)
        assert not listening(url)


def test_a_killed_lab_takes_its_stand_ins_with_it(tmp_path: Path) -> None:
    """SIGKILL leaves no time to clean up; the stand-ins notice by themselves."""
    with start(tmp_path, nodes="bot=1") as lab:
        tree = psutil.Process(lab.process.pid).children(recursive=True)
        lab.process.kill()
        assert gone(tree)


def test_a_lab_ends_with_its_parent(tmp_path: Path) -> None:
    """A test run that is killed leaves no lab behind."""
    script = (
        "import subprocess, sys; "
        f"lab = subprocess.Popen([sys.executable, '-m', 'lab', '--state-dir={tmp_path}', '--nodes=bot=1'],"
        " stdout=subprocess.PIPE); lab.stdout.readline(); print(lab.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        lab = psutil.Process(int(parent.stdout.readline()))
        tree = [lab, *lab.children(recursive=True)]
        os.kill(parent.pid, signal.SIGKILL)
        assert gone(tree)


def test_a_restart_keeps_addresses_and_credentials(tmp_path: Path) -> None:
    """What was configured against the lab stays valid."""
    with start(tmp_path, nodes="bot=1,cloud=1") as lab:
        before = lab.document
    with start(tmp_path, nodes="bot=1,cloud=1") as lab:
        assert lab.document == before
        assert lab.truth.guests() == []


def test_a_second_lab_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """The error names the folder and the way out."""
    with (
        start(tmp_path, nodes="bot=1"),
        pytest.raises(LabError, match="a lab already runs here; stop it or give another --state-dir"),
        start(tmp_path, nodes="bot=1"),
    ):
        pass


def test_a_taken_port_is_an_error_that_shows_the_log(tmp_path: Path) -> None:
    """A restart whose port somebody else has taken says so and leaves nothing running."""
    with start(tmp_path, nodes="bot=1") as lab:
        port = int(lab.document.stripe.base_url.rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(LabError, match=r"(?s)lab\.stripe did not start.*[Aa]ddress already in use"),
        start(tmp_path, nodes="bot=1"),
    ):
        pass


def test_a_broken_stand_in_ends_the_lab_with_an_error(tmp_path: Path) -> None:
    """A lab without one of its parts is worse than none."""
    with start(tmp_path, nodes="bot=1") as lab:
        broken = psutil.Process(lab.process.pid).children()[0]
        broken.kill()
        assert lab.process.wait(PATIENCE) == 1


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--nodes=vps=1", "unknown class 'vps'"),
        ("--pool-size=0", "pool-size: 0 is out of range"),
        ("--task-delay=-1", "task-delay: -1.0 is out of range"),
        ("--pool-servers=51", "pool-servers: 51 is out of range"),
    ],
)
def test_a_bad_option_is_refused_before_anything_starts(tmp_path: Path, option: str, complaint: str) -> None:
    """The error names the option; no file is written."""
    command = [sys.executable, "-m", "lab", f"--state-dir={tmp_path / 'state'}", option]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert not (tmp_path / "state").exists()
