"""The program of a customer's stack."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime.stack import Stack

from components.compute.workload import AnyWorkloadSpec
from components.specs import WorkloadKind
from stacks.workload.program import COMPONENTS, WorkloadProgram
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import bot, cloud_vm, minecraft


def run(spec: AnyWorkloadSpec) -> Program:
    """Run the program of ``spec`` and return what it declared; its outputs are the stack's."""

    def body() -> Mapping[str, pulumi.Output[Any]]:
        WorkloadProgram(spec)()
        stack = pulumi.runtime.get_root_resource()
        assert isinstance(stack, Stack)
        return {name: pulumi.Output.from_input(value) for name, value in stack.outputs.items()}

    return run_program(body)


def test_every_kind_of_workload_has_a_component() -> None:
    """An order of any kind can be built."""
    assert set(COMPONENTS) == set(WorkloadKind)


@pytest.mark.parametrize(
    ("spec", "component"),
    [
        (cloud_vm(), "slipway:compute:CloudVm"),
        (minecraft(), "slipway:compute:GameServer"),
        (bot(), "slipway:compute:Bot"),
    ],
    ids=["cloud_vm", "game_server", "bot"],
)
def test_a_stack_holds_one_workload_and_nothing_else(spec: AnyWorkloadSpec, component: str) -> None:
    """One guest, its firewall and its two records: all that the order bought."""
    program = run(spec)

    ours = [resource.type for resource in program.resources if resource.type.startswith("slipway:compute:")]
    assert ours == [component]
    assert len(program.resources) == 9


def test_outputs_are_plain_json() -> None:
    """What the stack exports goes into database rows as it is."""
    assert run(bot()).outputs == {
        "vmid": 401,
        "node": "pve-bot-1",
        "fqdn": "herald.play.example",
        "hostname": "herald",
        "ipv4": "203.0.113.25",
        "ipv6": "2001:db8:0:19::2",
    }
