"""The game server component."""

import pytest

from components.compute import GameServer
from components.specs import GameServerSpec
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import minecraft, source_server

CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"
RULES = "proxmoxve:firewall/rulesLegacy:RulesLegacy"


def build(spec: GameServerSpec) -> Program:
    """Return what the component declares for ``spec``."""
    return run_program(lambda: GameServer("workload", spec).outputs)


def test_a_world_is_given_two_minutes_to_save() -> None:
    """Proxmox VE kills the container five seconds before the provider's timeout ends."""
    assert build(minecraft()).inputs(CONTAINER)["timeoutDelete"] == 125


@pytest.mark.parametrize(
    ("spec", "ports"),
    [
        (minecraft(), [("tcp", "25565")]),
        (source_server(), [("udp", "27015:27020"), ("tcp", "27015")]),
    ],
    ids=["minecraft", "source"],
)
def test_each_game_opens_the_ports_it_declares(spec: GameServerSpec, ports: list[tuple[str, str]]) -> None:
    """Ports are data of the game's template; nothing about a game is code."""
    rules = build(spec).inputs(RULES)["rules"]

    assert [(rule["proto"], rule["dport"]) for rule in rules if "proto" in rule] == ports


def test_the_type_token_is_part_of_every_state_and_stays() -> None:
    """A renamed type would replace every customer's server."""
    assert [resource.name for resource in build(minecraft()).all_of("slipway:compute:GameServer")] == ["workload"]
