"""Platform stacks from a terminal."""

from pathlib import Path
from uuid import UUID

import pytest

from api.auth.models import Role
from api.platform.models import PlatformRun, RunStatus
from tests.automation.cli.conftest import Terminal
from tests.fixtures.api import PASSWORD, Api
from tests.fixtures.platform_api import YAML, plan_by_worker


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    """Return the path of a file with a configuration."""
    path = tmp_path / "network.yaml"
    path.write_text(YAML)
    return str(path)


@pytest.fixture
def admin(at_api: Terminal, platform_api: Api) -> Terminal:
    """Return a terminal at which an administrator is logged in."""
    _log_in(at_api, platform_api)
    return at_api


def _log_in(terminal: Terminal, api: Api) -> None:
    terminal.environment["SLIPWAY_PASSWORD"] = PASSWORD
    terminal.run("login", "--email", api.staff(Role.ADMIN).email)


def _planned(api: Api, output: str) -> UUID:
    run_id = UUID(output.split()[1])
    plan_by_worker(api, run_id)
    return run_id


def _status(api: Api, run_id: UUID) -> RunStatus:
    with api.runtime.database.transaction() as transaction:
        return transaction.session.get_one(PlatformRun, run_id).status


def test_one_asks_and_another_approves(admin: Terminal, platform_api: Api, configuration: str) -> None:
    """The plan is shown as a diff, and the word is asked for."""
    asked = admin.run("platform", "apply", "lab-network", "--file", configuration, "--reason", "an office network")
    run_id = _planned(platform_api, asked.output)
    assert "lab-network" in admin.run("platform", "list").output
    _log_in(admin, platform_api)
    shown = admin.run("platform", "approve", "lab-network", "--reason", "looked at it", typed="y\n").output

    assert "- delete RobotVSwitch" in shown
    assert "on its way" in shown
    assert _status(platform_api, run_id) is RunStatus.QUEUED


def test_a_wrong_configuration_is_told_by_line(admin: Terminal, tmp_path: Path) -> None:
    """As the API's own words."""
    path = tmp_path / "wrong.yaml"
    path.write_text("cidr: 10.0.0.0/8\nsubnet: [a]\n")
    said = admin.run("platform", "preview", "lab-network", "--file", str(path), "--reason", "a try", exit_code=1)

    assert "line 2: subnet" in said.output


def test_a_run_is_rejected_cancelled_and_shown(admin: Terminal, platform_api: Api, configuration: str) -> None:
    """By the stack's name: its newest run."""
    asked = admin.run("platform", "apply", "lab-network", "--file", configuration, "--reason", "an office network")
    first = _planned(platform_api, asked.output)
    admin.run("platform", "reject", str(first), "--reason", "wrong site")
    assert _status(platform_api, first) is RunStatus.REJECTED
    admin.run("platform", "drift", "lab-network", "--reason", "a look")
    admin.run("platform", "cancel", "lab-network", "--reason", "not now")

    assert "cancelled" in admin.run("platform", "show", "lab-network").output


def test_a_destroy_wants_the_name_again(admin: Terminal, configuration: str) -> None:
    """Typed."""
    admin.run("platform", "preview", "lab-network", "--file", configuration, "--reason", "to look")
    admin.run("platform", "cancel", "lab-network", "--reason", "seen")
    refused = admin.run("platform", "destroy", "lab-network", "--reason", "moving", typed="lab\n", exit_code=1)
    assert "type the stack" in refused.output
    asked = admin.run("platform", "destroy", "lab-network", "--reason", "moving", typed="lab-network\n")

    assert "was asked for" in asked.output


def test_a_stack_that_was_never_run_is_told(admin: Terminal) -> None:
    """With where to look."""
    assert "never been run" in admin.run("platform", "show", "lab-edge", exit_code=1).output
