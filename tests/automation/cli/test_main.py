"""The command line as a whole."""

import subprocess
import sys

import pytest

from automation.cli.main import app
from tests.automation.cli.conftest import Terminal

CUSTOMER_VERBS = ["catalogue", "quote", "order", "list", "show", "logs", "start", "stop", "reboot", "cancel", "abort"]
OWN_MACHINES = ["reinstall", "rescue"]


@pytest.mark.parametrize("arguments", [("nope",), ("order",), ("show",), ("list", "--nope"), ("up", "--port", "99999")])
def test_a_wrong_command_line_ends_with_2(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    """As the shell's own commands do."""
    terminal.run(*arguments, exit_code=2)


def test_every_command_explains_itself(terminal: Terminal) -> None:
    """``--help`` of each names it and says what it does."""
    names = {command.name for command in app.registered_commands}
    passed_on = {"bench", "chaos", "pulumi"}  # their help is another program's
    verbs = {*CUSTOMER_VERBS, *OWN_MACHINES}
    assert verbs | {"up", "doctor", "migrate", "register", "login", "logout"} | passed_on == names
    for name in sorted(name for name in names if name and name not in passed_on):
        assert f"slipway {name}" in terminal.run(name, "--help").stdout.replace("root", "slipway")


def test_an_api_that_is_away_is_one_sentence(terminal: Terminal) -> None:
    """And exit status 1."""
    terminal.environment["SLIPWAY_API_URL"] = "http://127.0.0.1:9"
    error = terminal.run("list", exit_code=1).stderr
    assert "no answer from the API at http://127.0.0.1:9" in error
    assert len(error.splitlines()) == 1


def test_a_customers_command_loads_nothing_heavy() -> None:
    """They speak HTTP only: no database, no queue, no engine, no lab is imported."""
    script = "import sys, automation.cli.main; print(' '.join(sorted(m.split('.')[0] for m in sys.modules)))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"sqlalchemy", "celery", "psycopg", "pulumi", "stripe", "fastapi", "lab"} & set(output.split())
