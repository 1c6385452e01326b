"""What is IPMI's own."""

import threading
import time
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from pxe.power.errors import BmcUnreachable
from pxe.power.ipmi_child import IpmiBmc
from pxe.power.ipmi_session import kind_of
from pxe.power.login import Login
from tests.fakes.bmc_child import BmcChild
from tests.fixtures.bmc_rigs import BRISK, PASSWORD, USER, Rig


def _here() -> set[object]:
    """This process's threads, open files and sockets, and children."""
    process = psutil.Process()
    links = {(path, path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir() if path.is_symlink()}
    return {*threading.enumerate(), *links, *process.children()}


@pytest.mark.servers
def test_nothing_of_a_session_stays_in_this_process(ipmi: Rig) -> None:
    """Neither thread nor socket nor child; pyghmi keeps its own for ever."""
    before = _here()
    ipmi.driver.validate()
    ipmi.fail("hang", 1)
    with pytest.raises(BmcUnreachable):
        ipmi.driver.validate()
    assert not _here() - before


@pytest.mark.servers
def test_the_login_is_neither_in_the_child_s_arguments_nor_in_its_environment(
    ipmi: Rig, ipmi_child: BmcChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are for everybody on the machine to see, or for a core file."""
    del ipmi
    monkeypatch.setenv("SLIPWAY_BMC_PASSWORD", PASSWORD)
    bmc = IpmiBmc("127.0.0.1", ipmi_child.port, Login(USER, SecretStr(PASSWORD)), BRISK)
    known = set(psutil.Process().children())
    with bmc.session():
        (child,) = set(psutil.Process().children()) - known
        shown = " ".join((*child.cmdline(), *child.environ(), *child.environ().values()))
    assert "ipmi_session" in shown
    assert PASSWORD not in shown
    assert "SLIPWAY" not in shown


@pytest.mark.servers
def test_a_user_whom_the_bmc_ignores_is_not_waited_for(ipmi: Rig) -> None:
    """Some BMCs give a name that they do not know no answer at all."""
    began = time.monotonic()
    with pytest.raises(BmcUnreachable):
        ipmi.make("nobody", SecretStr(PASSWORD)).validate()
    assert time.monotonic() - began < 30


@pytest.mark.servers
def test_each_call_logs_in_once(ipmi: Rig) -> None:
    """Also one that follows."""
    ipmi.driver.power.cycle()
    assert ipmi.tries() == 1


@pytest.mark.parametrize(
    ("text", "is_login", "kind"),
    [
        ("Incorrect password provided", True, "refused"),
        ("Unauthorized name in RAKP2", True, "refused"),
        ("Insufficient resources to create new session (wait for existing sessions to timeout)", True, "unreachable"),
        ("Node Busy", False, "busy"),
        ("Session no longer connected", False, "unreachable"),
        ("Invalid command", False, "failed"),
    ],
)
def test_what_pyghmi_says_has_a_meaning(text: str, is_login: bool, kind: str) -> None:  # noqa: FBT001 - a table
    """It has one class of exception for all, so its words are read."""
    assert kind_of(RuntimeError(text), is_login=is_login) == kind
