"""`slipway up` as a user starts it: in a process of its own, with the lab, on the real toolchain."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
import pytest

from automation.embedded.home import Home
from automation.embedded.system import EmbeddedSystem, SystemOptions

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
_SETTINGS = ("DATABASE_URL", "REDIS_URL", "SLIPWAY_")
PASSWORD = "correct horse battery staple"


@pytest.fixture
def home() -> Iterator[Path]:
    """A new folder. Not below pytest's own: PostgreSQL, run by root, gives up root's rights and could not enter."""
    with TemporaryDirectory(prefix="slipway-up-") as folder:
        yield Path(folder) / "home"


@dataclass
class Up:
    """A running `slipway up`."""

    process: "subprocess.Popen[str]"
    home: Path

    def is_up(self) -> bool:
        """Whether `system.json` is this process's own: a killed one before it leaves its file behind."""
        try:
            return bool(self.system()["pid"] == self.process.pid)
        except FileNotFoundError:
            return False

    def system(self) -> dict[str, Any]:
        """What `system.json` says."""
        document: dict[str, Any] = json.loads((self.home / "system.json").read_text())
        return document

    def tree(self) -> list[psutil.Process]:
        """Every process under it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; returns the exit status and all that was printed."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=120)
        return self.process.returncode, output


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without any setting of Slipway's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_SETTINGS) or k == "SLIPWAY_CACHE_DIR"}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


@contextmanager
def up(home: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Up]:
    """Start `slipway up`, wait until it has printed its table, and make sure that it is gone afterwards."""
    command = [sys.executable, "-m", "automation.cli", "up", "--home", str(home), *options]
    with subprocess.Popen(
        command,
        env=clean_environment() if environment is None else dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        running = Up(process, home)
        try:
            wait_until(lambda: running.is_up() or process.poll() is not None)
            assert process.poll() is None, process.communicate()[0]
            yield running
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=120)


def wait_until(condition: Callable[[], bool], seconds: float = 1200.0) -> None:
    """Poll for what another process is about to do; the bound leaves time to build the toolchain."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not, nor one that ends while it is looked at."""

    def runs(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return [process for process in processes if runs(process)]


def test_ctrl_c_leaves_nothing_running_and_a_second_start_keeps_everything(home: Path) -> None:
    """Credentials, account and lab addresses are the same after a restart, and no process is left after either."""
    with up(home, "--port", "0") as first:
        system = first.system()
        assert httpx.get(f"{system['api_url']}/readyz", timeout=60).json()["status"] == "ok"
        assert stat.S_IMODE((home / "system.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "secrets.env").stat().st_mode) == 0o600
        _register(system["api_url"], "kept@example.com")
        tree = first.tree()
        assert {"postgres", "redis", "lab", "api", "worker", "beat"} == set(system["processes"])
        second = subprocess.run(
            [sys.executable, "-m", "automation.cli", "up", "--home", str(home), "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
        assert second.returncode == 1
        assert f"already runs here as process {first.process.pid}" in second.stderr
        status, output = first.end(signal.SIGINT)
    assert status == 0, output
    assert system["admin"]["password"] in output
    assert f"{system['api_url']}/admin" in output
    assert output.rstrip().endswith("Stopped.")
    assert not alive(tree)
    assert not (home / "system.json").exists()

    port = system["api_url"].rsplit(":", 1)[1]
    with up(home, "--port", port) as again:
        restarted = again.system()
        assert {key: restarted[key] for key in ("admin", "api_url", "lab")} == {
            key: system[key] for key in ("admin", "api_url", "lab")
        }
        _log_in(restarted["api_url"], "kept@example.com", PASSWORD)
        _log_in(restarted["api_url"], restarted["admin"]["email"], restarted["admin"]["password"])
        tree = again.tree()
        status, _ = again.end(signal.SIGTERM)
    assert status == 0
    assert not alive(tree)


def test_nothing_survives_a_killed_up_and_the_folder_can_be_used_again(home: Path) -> None:
    """SIGKILL gives no time to tidy up: each service notices, ends, and the next start takes the folder over."""
    with up(home, "--port", "0") as killed:
        tree = killed.tree()
        killed.process.kill()
        killed.process.communicate()
    wait_until(lambda: not alive(tree), 120)

    with up(home, "--port", "0") as again:
        assert httpx.get(f"{again.system()['api_url']}/readyz", timeout=60).is_success
        status, output = again.end(signal.SIGINT)
    assert "ended without tidying up" in output
    assert status == 0


def test_a_service_that_dies_takes_the_system_down_and_is_named(home: Path) -> None:
    """The message carries the name and the end of its log; the exit status is 1."""
    with up(home, "--port", "0") as running:
        keeper = psutil.Process(running.system()["processes"]["worker"])
        tree = running.tree()
        keeper.children()[0].kill()
        output, _ = running.process.communicate(timeout=120)
    assert running.process.returncode == 1
    assert "Error: worker ended by itself" in output
    assert "worker.log" in output
    assert not alive(tree)


def test_without_the_lab_every_missing_setting_is_named_and_nothing_is_started(home: Path) -> None:
    """One message for all of them, before anything runs."""
    result = subprocess.run(
        [sys.executable, "-m", "automation.cli", "up", "--home", str(home), "--no-lab", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(SLIPWAY_STRIPE_SECRET_KEY="sk_test_given"),
    )
    assert result.returncode == 1
    for variable in ("SLIPWAY_STRIPE_WEBHOOK_SECRETS", "SLIPWAY_CLOUDFLARE_API_TOKEN"):
        assert f"{variable} is missing" in result.stderr
    assert "SLIPWAY_STRIPE_SECRET_KEY" not in result.stderr
    assert "sk_test_given" not in result.stderr
    assert not (home / "postgres").exists()


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    """Before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = subprocess.run(
            [sys.executable, "-m", "automation.cli", "up", "--home", str(home), "--port", str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
        )
    assert result.returncode == 1
    assert "give another with --port" in result.stderr


def test_the_operators_own_postgres_and_redis_are_used(home: Path, database_url: str, redis_url: str) -> None:
    """By settings alone: nothing embedded is started, and the state gets a database of its own."""
    given = clean_environment(DATABASE_URL=database_url, REDIS_URL=redis_url)
    with EmbeddedSystem(home, SystemOptions(workers=1), environment=given) as system:
        assert set(system.processes) == {"lab", "api", "worker", "beat"}
        assert httpx.get(f"{system.api_url}/readyz", timeout=60).is_success
        assert system.document()["database_url"] == database_url
        assert "slipway-state" in system.document()["state_database_url"]
        assert not Home(home).postgres.exists()
        tree = [psutil.Process(pid) for pid in system.processes.values()]
        tree += [child for keeper in tree for child in keeper.children(recursive=True)]
        assert len(tree) > 2 * len(system.processes)
    assert not alive(tree)


def _register(api_url: str, email: str) -> None:
    credentials = {"email": email, "password": PASSWORD}
    httpx.post(f"{api_url}/v1/auth/register", json=credentials, timeout=60).raise_for_status()


def _log_in(api_url: str, email: str, password: str) -> None:
    credentials = {"email": email, "password": password}
    httpx.post(f"{api_url}/v1/auth/login", json=credentials, timeout=60).raise_for_status()
