"""Services are real small processes here; what is counted is what the kernel says is running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psutil
import pytest

from automation.embedded.supervisor import Service, ServiceFailedError, Supervisor, log_tail

pytestmark = pytest.mark.processes

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
_TREE = """
import os, subprocess, sys, time
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        Path(sys.argv[1] + ".daemon").write_text(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""
"""A service with a child in a session of its own and a daemon that has no parent any more."""

_STUBBORN = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1]).write_text("up")
time.sleep(600)
"""
_TIDY = """
import signal, sys
from pathlib import Path
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
Path(sys.argv[1]).write_text("up")
signal.sigwait([signal.SIGTERM])
Path(sys.argv[1]).write_text("ended in order")
"""
_OWNER = """
import sys, time
from pathlib import Path
from automation.embedded.supervisor import Service, Supervisor
mark = Path(sys.argv[1])
supervisor = Supervisor(mark.parent / "logs")
supervisor.start(Service("tree", [sys.executable, "-c", sys.argv[2], str(mark)], {}, mark.exists, grace_seconds=0.2))
print("ready", flush=True)
time.sleep(600)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Poll for what another process is about to do; the bound only keeps a broken test from hanging."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def service(name: str, command: list[str], **options: object) -> Service:
    """A stand-in service that is ready at once unless told otherwise."""
    given: dict[str, object] = {"environment": dict(os.environ), "is_ready": lambda: True, **options}
    return Service(name, command, **given)  # type: ignore[arg-type]  # the tests' own options, checked by the class


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose services are gone after the test, whatever it did."""
    with Supervisor(tmp_path / "logs") as supervisor:
        yield supervisor


class TestStopping:
    def test_stopping_ends_a_service_and_all_it_started(self, supervisor: Supervisor, tmp_path: Path) -> None:
        """Children in sessions of their own and orphaned daemons are ended too."""
        mark = tmp_path / "mark"
        daemon = tmp_path / "mark.daemon"
        command = [sys.executable, "-c", _TREE, str(mark)]
        supervisor.start(
            service(
                "tree", command, is_ready=lambda: all(file.read_text() for file in (mark, daemon)), grace_seconds=0.2
            )
        )
        keeper = supervisor.pids()["tree"]
        pids = {keeper, int(mark.read_text()), int(daemon.read_text())}
        pids |= {process.pid for process in psutil.Process(keeper).children(recursive=True)}
        assert len(pids) >= 4

        supervisor.stop()

        assert not [pid for pid in pids if alive(pid)]

    def test_a_service_is_asked_to_end_before_it_is_killed(self, supervisor: Supervisor, tmp_path: Path) -> None:
        """What handles its stop signal has the time to do so."""
        mark = tmp_path / "mark"
        supervisor.start(service("tidy", [sys.executable, "-c", _TIDY, str(mark)], is_ready=mark.exists))
        supervisor.stop()
        assert mark.read_text() == "ended in order"

    def test_a_service_that_ignores_its_signal_is_killed(self, supervisor: Supervisor, tmp_path: Path) -> None:
        """After the grace comes force."""
        mark = tmp_path / "mark"
        command = [sys.executable, "-c", _STUBBORN, str(mark)]
        supervisor.start(service("stubborn", command, is_ready=mark.exists, grace_seconds=0.1))
        tree = psutil.Process(supervisor.pids()["stubborn"]).children(recursive=True)
        supervisor.stop()
        assert not [process for process in tree if alive(process.pid)]

    def test_services_stop_in_reverse_order(self, supervisor: Supervisor, tmp_path: Path) -> None:
        """What was started last, and stands on the others, goes first."""
        order = tmp_path / "order"
        script = (
            "import signal, sys\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
            "print('up', flush=True)\nsignal.sigwait([signal.SIGTERM])\nopen(sys.argv[1], 'a').write(sys.argv[2] + ' ')"
        )
        for name in ("first", "second", "third"):
            command = [sys.executable, "-c", script, str(order), name]
            log = tmp_path / "logs" / f"{name}.log"
            supervisor.start(service(name, command, is_ready=lambda log=log: log_tail(log) == ["up"]))
        supervisor.stop()
        assert order.read_text().split() == ["third", "second", "first"]

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_services_end_when_their_supervisor_dies(self, tmp_path: Path, number: signal.Signals) -> None:
        """Even SIGKILL of the supervisor leaves nothing running."""
        mark = tmp_path / "mark"
        owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(mark), _TREE], stdout=subprocess.PIPE)
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        wait_until((tmp_path / "mark.daemon").exists)
        tree = [process.pid for process in psutil.Process(owner.pid).children(recursive=True)]
        assert len(tree) >= 4

        owner.send_signal(number)
        owner.wait()
        owner.stdout.close()

        wait_until(lambda: not any(map(alive, tree)))


class TestFailures:
    def test_a_service_that_ends_at_once_is_named_with_its_last_words(self, supervisor: Supervisor) -> None:
        """The message carries what the log ends with, so that nobody has to look for it."""
        command = [sys.executable, "-c", "import sys; print('no such database: shop'); sys.exit(3)"]
        with pytest.raises(ServiceFailedError, match=r"api ended before it was ready \(exit status 3\)") as error:
            supervisor.start(service("api", command, is_ready=lambda: False))
        assert "no such database: shop" in str(error.value)

    def test_a_service_that_never_becomes_ready_is_given_up(self, supervisor: Supervisor) -> None:
        """The wait is bounded."""
        with pytest.raises(ServiceFailedError, match="slow was not ready after 0 s"):
            supervisor.start(service("slow", _SLEEP, is_ready=lambda: False, ready_seconds=0.1))

    def test_a_probe_that_cannot_connect_means_not_ready_yet(self, supervisor: Supervisor) -> None:
        """Refused connections are the normal state of a service that starts."""
        calls = count()

        def probe() -> bool:
            if next(calls) == 0:
                raise ConnectionRefusedError
            return True

        supervisor.start(service("api", _SLEEP, is_ready=probe))
        supervisor.check()

    def test_a_service_that_dies_later_is_found(self, supervisor: Supervisor) -> None:
        """A killed service shows the signal as shells do, 128 and its number."""
        supervisor.start(service("worker", _SLEEP))
        keeper = psutil.Process(supervisor.pids()["worker"])
        wait_until(lambda: bool(keeper.children()))
        keeper.children()[0].kill()

        wait_until(lambda: not alive(keeper.pid))
        with pytest.raises(ServiceFailedError, match=r"worker ended by itself \(exit status 137\)"):
            supervisor.check()

    def test_a_command_that_does_not_exist_is_reported(self, supervisor: Supervisor) -> None:
        """The keeper's own failure reaches the message by way of the log."""
        with pytest.raises(ServiceFailedError, match="no-such-program"):
            supervisor.start(service("lab", ["no-such-program"], is_ready=lambda: False))


def test_a_log_tells_of_one_run_and_the_one_before_is_kept(tmp_path: Path) -> None:
    """What a probe reads in a log was written by the process that runs now."""
    for number in ("1", "2", "3"):
        log = tmp_path / "logs" / "api.log"
        command = [sys.executable, "-c", "import sys, time; print(sys.argv[1], flush=True); time.sleep(600)", number]
        with Supervisor(tmp_path / "logs") as supervisor:
            supervisor.start(service("api", command, is_ready=lambda log=log: bool(log_tail(log))))
    assert log_tail(log) == ["3"]
    assert log_tail(tmp_path / "logs" / "api.log.1") == ["2"]
