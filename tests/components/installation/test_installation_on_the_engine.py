"""Nodes that are installed by a stack, on the real engine, against the bare lab."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from components.platform.node_installation import InstalledNodes
from components.specs.platform import credential_variable
from components.specs.platform.installation import InstallationProfile, InstallationSpec
from tests.components.installation.conftest import GAME, Site
from tests.fixtures.robot_estate import Estate

pytestmark = pytest.mark.engine

SPECS = (
    GAME,
    GAME.model_copy(update={"number": 321_002, "name": "bot-1"}),
    GAME.model_copy(update={"number": 321_003, "name": "cloud-1"}),
)


def nodes(*specs: InstallationSpec) -> Callable[[], None]:
    """A program with these nodes."""

    def program() -> None:
        made = InstalledNodes("nodes", specs)
        pulumi.export("endpoints", made.endpoints)
        pulumi.export("as_described", {name: item.is_as_described for name, item in made.installations.items()})

    return program


@pytest.fixture(autouse=True)
def in_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program runs in this process, and reads the variables of the engine's."""
    for name, value in site.lab.platform.items():
        monkeypatch.setenv(name, value)


def test_three_blank_servers_become_nodes_and_stay_as_they_are(estate: Estate, site: Site) -> None:
    """Installed once; nothing to do afterwards; another profile is noted; destroy touches no machine."""
    outputs = estate.up(nodes(*SPECS))
    variables = {spec.name: credential_variable("PROXMOX_VE_ENDPOINT", spec.name) for spec in SPECS}
    assert outputs["endpoints"] == {name: site.lab.platform[variable] for name, variable in variables.items()}
    assert estate.pending(nodes(*SPECS)) == []
    assert estate.pending(nodes(*SPECS), refresh=True) == []

    other = GAME.model_copy(update={"profile": InstallationProfile(swap_gib=16)})
    said: list[str] = []
    assert estate.pending(nodes(other)) != []
    estate.stack.up(program=nodes(other, *SPECS[1:]), on_output=said.append)
    assert any("was installed with another profile, and is left as it is" in line for line in said)
    assert estate.stack.outputs()["as_described"].value == {"game-1": False, "bot-1": True, "cloud-1": True}
    assert estate.pending(nodes(other, *SPECS[1:])) == []
    assert site.installations() == 1

    estate.stack.up(program=nodes(other.model_copy(update={"reinstall": 1}), *SPECS[1:]))
    assert estate.stack.outputs()["as_described"].value["game-1"] is True
    estate.stack.destroy()
    machines = site.lab.faults.robot.machines()
    assert [machines[spec.number]["installations"] for spec in SPECS] == [2, 1, 1]
    assert {machines[spec.number]["runs"] for spec in SPECS} == {"disk"}


def test_progress_is_told_and_no_secret_is_kept(estate: Estate, site: Site) -> None:
    """The engine shows what the installation is at; the state has neither password nor key."""
    said: list[str] = []
    estate.stack.up(program=nodes(GAME), on_output=said.append)
    assert any("game-1: resetting the server" in line for line in said)
    state = str(estate.stack.export_stack().deployment)
    environment = site.lab.platform
    assert environment["PROXMOX_VE_PASSWORD_GAME_1"] not in state
    assert environment["HETZNER_ROBOT_PASSWORD"] not in state
    assert "PRIVATE KEY" not in state


def test_wrong_credentials_cost_one_try(estate: Estate, site: Site) -> None:
    """However many nodes there are: after three Robot would lock the address out."""
    estate.stack.workspace.env_vars = {**estate.environment, "HETZNER_ROBOT_PASSWORD": "wrong"}
    before = len(site.lab.faults.robot.requests())
    with pytest.raises(auto.CommandError, match="Robot does not accept the login"):
        estate.stack.up(program=nodes(*SPECS))
    logins: list[Any] = site.lab.faults.robot.requests()[before:]
    assert [good for _, _, good in logins] == [False]


def test_a_bad_profile_is_refused_before_anything_is_reset(estate: Estate, site: Site) -> None:
    """A counter that goes back, too."""
    estate.up(nodes(GAME.model_copy(update={"reinstall": 2})))
    with pytest.raises(auto.CommandError, match="was 2; it is only ever raised"):
        estate.stack.preview(program=nodes(GAME))
    assert site.resets() == 1
