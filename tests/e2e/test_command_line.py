"""A customer's whole life on the command line, against the whole system."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from automation.embedded.system import EmbeddedSystem, SystemOptions

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtTqnKxSZ3GgdNq0aFvOXTkmK0mp4nB1ZAoYTlSYkdF ada@example\n"


@dataclass(frozen=True)
class Shell:
    """Runs `slipway` as a program of its own."""

    environment: Mapping[str, str]

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command and return what it answered."""
        done = subprocess.run(
            [sys.executable, "-m", "automation.cli", *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def show(self, name: str) -> dict[str, Any]:
        """Return a server as `slipway show --json` gives it."""
        document: dict[str, Any] = json.loads(self.run("show", name, "--json"))
        return document


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The shell of somebody who has just found Slipway; it runs with one node of each class."""
    options = SystemOptions(lab_options=("--nodes=game=1,bot=1,cloud=1",))
    with TemporaryDirectory(prefix="slipway-cli-") as home, EmbeddedSystem(Path(home), options) as system:
        yield Shell(
            {
                **os.environ,
                "SLIPWAY_API_URL": system.api_url,
                "SLIPWAY_PASSWORD": "correct horse battery staple",
                "XDG_CONFIG_HOME": str(tmp_path),
            }
        )


def test_a_customer_orders_pays_runs_and_cancels_a_vm(shell: Shell, tmp_path: Path) -> None:
    """From registering to the last DNS record gone, with nothing but `slipway` and the payment page."""
    key = tmp_path / "id_ed25519.pub"
    key.write_text(KEY)
    shell.run("register", "--email", "ada@example.com")
    order = ("order", "cloud-vm", "--size", "small", "--template", "debian-12", "--name", "box")
    said = shell.run(*order, "--ssh-key", str(key), "--yes")
    page = next(line for line in said.splitlines() if line.startswith("http"))
    assert shell.show("box")["status"] == "pending_payment"
    shell.run("logs", "box", exit_code=1)

    assert httpx.post(page, data={"action": "pay"}, timeout=60).is_redirect
    said = shell.run("logs", "box", "--follow")
    assert "Created virtual machine box" in said
    assert shell.show("box")["status"] == "running"

    shell.run("stop", "box", "--wait")
    assert shell.show("box")["status"] == "stopped"
    assert "it is stopped already" in shell.run("stop", "box")
    shell.run("start", "box", "--wait")
    shell.run("reboot", "box", "--wait")
    assert shell.show("box")["status"] == "running"

    said = shell.run("cancel", "box", "--yes", "--wait")
    assert "Removed virtual machine box" in said
    assert shell.show("box")["status"] == "deleted"
    assert "No servers yet" in shell.run("list")
