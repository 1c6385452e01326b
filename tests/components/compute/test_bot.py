"""The bot component."""

from components.compute import Bot
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import bot

CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"
RULES = "proxmoxve:firewall/rulesLegacy:RulesLegacy"


def build() -> Program:
    """Return what the component declares for an ordinary bot."""
    return run_program(lambda: Bot("workload", bot()).outputs)


def test_a_bot_answers_on_no_port() -> None:
    """A bot dials out: the one thing it answers is a ping."""
    assert [rule["macro"] for rule in build().inputs(RULES)["rules"]] == ["Ping"]


def test_a_bot_is_given_half_a_minute_to_end() -> None:
    """Proxmox VE kills the container five seconds before the provider's timeout ends."""
    assert build().inputs(CONTAINER)["timeoutDelete"] == 35


def test_the_type_token_is_part_of_every_state_and_stays() -> None:
    """A renamed type would replace every customer's bot."""
    assert [resource.name for resource in build().all_of("slipway:compute:Bot")] == ["workload"]
