"""``platform.env``: written for shells, read by `slipway pulumi`."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.auth.authentication import Authenticator
from api.auth.scopes import Scope
from api.db.session import Database
from automation.embedded.environment import for_api, for_platform, for_worker
from automation.embedded.home import Home
from automation.embedded.platform_environment import read_platform_environment, write_platform_environment
from automation.embedded.provision import ensure_administrator, ensure_inventory_token

SETTINGS = {
    "SLIPWAY_STATE_DATABASE_URL": "postgres://postgres:@/slipway-state?host=/tmp/a folder&x=it's",
    "SLIPWAY_PLATFORM_PASSPHRASE": "open $HOME 'sesame'",
    "SLIPWAY_INVENTORY_TOKEN": "slw_x",
}
EMAIL = "admin@slipway.example"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A system's folder, with a lab in it."""
    made = Home(tmp_path / "home")
    made.lab.mkdir()
    return made


def test_a_shell_and_we_read_the_same(home: Home) -> None:
    """Whatever is in the values; nobody else may read them."""
    write_platform_environment(home, for_platform(SETTINGS, "http://127.0.0.1:8080"))
    script = f"set -a; . '{home.platform}'; env -0"
    printed = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, text=True, env={}).stdout
    shell = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)
    ours = read_platform_environment(home.path)
    assert {name: shell.get(name) for name in ours} == ours
    assert ours["PULUMI_BACKEND_URL"] == SETTINGS["SLIPWAY_STATE_DATABASE_URL"]
    assert ours["PULUMI_CONFIG_PASSPHRASE"] == SETTINGS["SLIPWAY_PLATFORM_PASSPHRASE"]
    assert ours["SLIPWAY_INVENTORY_URL"] == "http://127.0.0.1:8080"
    assert stat.S_IMODE(home.platform.stat().st_mode) == 0o600


def test_a_lab_says_where_its_stand_ins_are(home: Home) -> None:
    """By the file that it writes beside its document; the system adds its own."""
    (home.lab / "platform.env").write_text("HCLOUD_TOKEN='its own'\n")
    write_platform_environment(home, {"SLIPWAY_INVENTORY_URL": "http://127.0.0.1:8080"})
    ours = read_platform_environment(home.path)
    assert ours == {"HCLOUD_TOKEN": "its own", "SLIPWAY_INVENTORY_URL": "http://127.0.0.1:8080"}


def test_the_api_gets_nothing_of_it() -> None:
    """A hole in the API must not open the provider's own estate."""
    assert set(for_api(SETTINGS)) == {"SLIPWAY_STATE_DATABASE_URL"}
    assert for_worker(SETTINGS) == SETTINGS


def test_the_systems_own_token_is_kept_for_as_long_as_it_is_good(database: Database) -> None:
    """It reports for stacks and nothing else; one that is lost or revoked is made anew."""
    ensure_administrator(database, EMAIL, "correct horse battery staple")
    first = ensure_inventory_token(database, EMAIL, None)
    assert ensure_inventory_token(database, EMAIL, first) == first
    assert ensure_inventory_token(database, EMAIL, "slw_of-another-database") != first
    with database.transaction() as transaction:
        caller = Authenticator(transaction.session).by_token(first)
    assert caller is not None
    assert caller.principal.scopes == {Scope.INVENTORY_SYNC}


def test_slipway_pulumi_is_the_toolchains_cli(tmp_path: Path) -> None:
    """With every argument and its exit status; what the shell has set goes first."""
    environment = {**os.environ, "SLIPWAY_HOME": str(tmp_path), "PULUMI_BACKEND_URL": f"file://{tmp_path}"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "automation.cli", "pulumi", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    (tmp_path / "platform.env").write_text("PULUMI_BACKEND_URL=file:///nowhere\nPULUMI_CONFIG_PASSPHRASE=x\n")
    assert run("version").stdout.startswith("v3.")
    assert run("whoami", "-v", "--non-interactive").stdout.count(f"file://{tmp_path}") == 1
    wrong = run("no-such-command")
    assert (wrong.returncode != 0, "unknown command" in wrong.stderr) == (True, True)
