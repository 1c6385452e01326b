"""The folder of an embedded system."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from automation.embedded.errors import HomeError
from automation.embedded.home import Home

_CLAIM = """
import sys
from pathlib import Path
from automation.embedded.home import Home
claim = Home(Path(sys.argv[1])).claimed()
claim.__enter__()
print("mine", flush=True)
sys.stdin.read()
"""


def claimed_by_another_process(home: Path) -> "subprocess.Popen[bytes]":
    """A process that holds the folder until it is killed."""
    other = subprocess.Popen([sys.executable, "-c", _CLAIM, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"mine\n"
    return other


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    """The message names the running process's number."""
    with claimed_by_another_process(tmp_path) as other:
        with pytest.raises(HomeError, match=f"already runs here as process {other.pid};"), Home(tmp_path).claimed():
            pass
        other.kill()


def test_a_folder_left_by_a_killed_process_can_be_taken(tmp_path: Path) -> None:
    """A stale number is recognised as such."""
    with claimed_by_another_process(tmp_path) as other:
        other.kill()
    home = Home(tmp_path)
    with home.claimed() as was_left_behind:
        assert was_left_behind
    with home.claimed() as was_left_behind:
        assert not was_left_behind


def test_secrets_are_kept_word_for_word_and_private(tmp_path: Path) -> None:
    """Whatever is in a value, it comes back the same, and only this user can read it."""
    home = Home(tmp_path)
    assert home.read_secrets() == {}
    values = {"SLIPWAY_MASTER_KEYS": "aB-_=", "SLIPWAY_ADMIN_PASSWORD": r"it's \ a ${HOME} #b='c'"}
    home.keep_secrets(values)
    assert home.read_secrets() == values
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o600


def test_a_path_too_long_for_unix_sockets_is_refused(tmp_path: Path) -> None:
    """Refused at once, with the fix, and not by a server later."""
    with pytest.raises(HomeError, match="shorter path with --home"):
        Home(tmp_path / ("x" * 90))


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A clear message, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="give another folder"):
        Home(tmp_path / "file")
